// SPDX-License-Identifier: MIT
// How a request gets from a FUSE thread to the mount's shard and its answer back to the kernel.
#pragma once
#include <boost/asio/bind_cancellation_slot.hpp>

#include "aisfs/mount/dispatch.h"
#include "common/obs/log.h"

namespace aisfs::mount {

inline Dispatch& dispatch_of(fuse_req_t request) {
  return *static_cast<Dispatch*>(fuse_req_userdata(request));
}

inline ops::Call call_of(fuse_req_t request) {
  const fuse_ctx* ctx = fuse_req_ctx(request);
  ops::Call call{.uid = ctx->uid, .gid = ctx->gid, .pid = ctx->pid};
  *call.deadline = Deadline::after(dispatch_of(request).mount.options.op_timeout);
  return call;
}

/// Cancellation and bugs end here, as an error of the one request.
template <class T>
Task<Result<T>> guarded(std::shared_ptr<Running> running, Task<Result<T>> operation) {
  try {
    Result<T> result = co_await std::move(operation);
    const bool cut_off = !result && result.error() == Errc::cancelled && running->overdue;
    if (cut_off) co_return Error(Errc::timed_out, running->operation);
    co_return result;
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted) {
      LOG_ERROR("operation threw", "operation", running->operation, "what", e.what());
      co_return Error(Errc::internal, e.what());
    }
  } catch (const std::exception& e) {
    LOG_ERROR("operation threw", "operation", running->operation, "what", e.what());
    co_return Error(Errc::internal, e.what());
  }
  co_return Error(running->overdue ? Errc::timed_out : Errc::cancelled, running->operation);
}

/// `reply` may have been used before the operation ends (Call::answer).
template <class T, class Answer>
Task<void> serve(std::shared_ptr<Reply> reply,
                 std::shared_ptr<Running> running,
                 Task<Result<T>> op,
                 Answer answer) {
  Result<T> result = co_await guarded(running, std::move(op));
  if (!result) {
    const Error& error = result.error();
    const bool ordinary = errno_of(error) != EIO && errno_of(error) != ETIMEDOUT;
    if (ordinary) {
      LOG_DEBUG("refused", "operation", running->operation, "why", error.what());
    } else {
      LOG_WARN("failed", "operation", running->operation, "why", error.what());
    }
    if (reply->is_open()) std::move(*reply).error(error);
    co_return;
  }
  if (!reply->is_open()) co_return;
  if constexpr (std::is_void_v<T>) {
    answer(std::move(*reply));
  } else {
    answer(std::move(*reply), *std::move(result));
  }
}

/// From a FUSE thread: runs `op` on the shard; `answer(Reply, T)` replies on success.
template <class T, class Answer>
void run(fuse_req_t request,
         std::shared_ptr<Reply> reply,
         const char* name,
         const ops::Call& call,
         Task<Result<T>> op,
         Answer answer) {
  Dispatch& dispatch = dispatch_of(request);
  auto running = dispatch.inflight.add(name, call.deadline);
  const std::uint64_t id = running->id;
  const auto interrupted = [](fuse_req_t r, void* data) {
    dispatch_of(r).inflight.interrupt(reinterpret_cast<std::uintptr_t>(data));
  };
  fuse_req_interrupt_func(request, interrupted, reinterpret_cast<void*>(id));
  auto slot = running->signal.slot();
  auto done = [&dispatch, running](std::exception_ptr) { dispatch.inflight.remove(running->id); };
  asio::co_spawn(dispatch.shard, serve(std::move(reply), running, std::move(op), std::move(answer)),
                 asio::bind_cancellation_slot(slot, std::move(done)));
}

template <class T, class Answer>
void run(fuse_req_t request,
         const char* name,
         const ops::Call& call,
         Task<Result<T>> op,
         Answer answer) {
  run(request, std::make_shared<Reply>(request), name, call, std::move(op), std::move(answer));
}

/// The same for one that may be answered before it ends: `begin` makes it of a call that can, and
/// `answer` replies in either case.
template <class Begin, class Answer>
void run_ahead(fuse_req_t request, const char* name, Begin begin, Answer answer) {
  auto reply = std::make_shared<Reply>(request);
  ops::Call call = call_of(request);
  call.answer = [reply, answer](const ops::Entry& entry) {
    if (reply->is_open()) answer(std::move(*reply), entry);
  };
  auto op = begin(call);
  run(request, std::move(reply), name, call, std::move(op), std::move(answer));
}

/// How an operation answers that has nothing to say but that it is done.
struct Done {
  void operator()(Reply reply) const { std::move(reply).ok(); }
  void operator()(Reply reply, const ops::Entry&) const { std::move(reply).ok(); }
};

}  // namespace aisfs::mount
