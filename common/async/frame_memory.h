// SPDX-License-Identifier: MIT
// Where the frames of coroutines live. Asio keeps two of at most 1020 bytes a thread, and a request
// goes through thirty of up to several KiB: malloc has no cache of a thread for these.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>

namespace aisfs {

/// Memory for a frame, from those that the thread has kept if one is large enough.
void* allocate_frame(std::size_t bytes);
/// Gives it back, on whatever thread; that one keeps it unless it has enough.
void release_frame(void* frame, std::size_t bytes) noexcept;

}  // namespace aisfs

// Part of the precompiled header, so that no coroutine is compiled without.
template <>
inline void* boost::asio::detail::awaitable_frame_base<boost::asio::any_io_executor>::operator new(
    std::size_t size) {
  return aisfs::allocate_frame(size);
}
template <>
inline void
boost::asio::detail::awaitable_frame_base<boost::asio::any_io_executor>::operator delete(
    void* pointer, std::size_t size) {
  aisfs::release_frame(pointer, size);
}
