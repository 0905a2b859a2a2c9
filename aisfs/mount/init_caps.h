// SPDX-License-Identifier: MIT
#pragma once
#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>

#include <string>

namespace aisfs::mount {

/// Chooses what to ask the kernel for; only what it offers.
void negotiate(fuse_conn_info& connection);

/// Lets the kernel read ahead 1 MiB instead of 128 KiB on this mount: half as much CPU a byte. Only
/// root may; quietly nothing otherwise.
void widen_kernel_readahead(const std::string& mountpoint);

}  // namespace aisfs::mount
