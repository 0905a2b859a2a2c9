// SPDX-License-Identifier: MIT
// The one file that compiles Asio's non-template parts (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
