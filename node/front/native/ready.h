// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/native_front.h"

namespace aisfs::native {

/// GET of a whole object that is open here, by a request that asks for nothing else: the answer that make_native_handler's handler gives, without its coroutines. Everything that has a
/// word of its own to say (a query, a range, a condition, an epoch) is left to the handler.
http::ReadyHandler make_native_ready_handler(NativeFrontDeps deps);

}  // namespace aisfs::native
