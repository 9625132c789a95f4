// The parts of Asio that an initiating function needs, and nothing else: this is what a public header of ours costs to compile.
// From Asio 1.22 (Debian 12) on. What 1.22 keeps in asio::experimental is bridged in tokens.hpp.
#pragma once
// A header of the standard library comes first: Asio 1.22 asks its macros how to allocate, and a source file in which Asio is the very first
// include would allocate in one way what the others free in another.
#include <cstddef>

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
