// Completion tokens: kw::as_tuple and kw::deferred, wherever this version of Asio keeps them.
#pragma once
#include <kafkawire/version.hpp>

#include <cstddef>  // before Asio: see detail/asio.hpp

#if __has_include(<asio/as_tuple.hpp>)
#include <asio/as_tuple.hpp>
#include <asio/deferred.hpp>
namespace kafkawire::inline v0_1 {
using asio::as_tuple;
using asio::deferred;
}  // namespace kafkawire::inline v0_1
#else
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/deferred.hpp>
namespace kafkawire::inline v0_1 {
using asio::experimental::as_tuple;
using asio::experimental::deferred;
}  // namespace kafkawire::inline v0_1
#endif
