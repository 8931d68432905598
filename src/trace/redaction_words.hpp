// Words that say nothing about a run's owner, because every Linux system or every program of their kind has them.
#pragma once

#include <string_view>

namespace slowtrace::trace {

// One component of a path or a thread's name that redaction keeps, wherever it stands: directories and files of
// hier(7), proc(5) and the C library, common interpreters and tools. A version may follow: "python3.11", "libc.so.6".
bool is_public_word(std::string_view component);

// A registered HTTP method or TLS application protocol (ALPN), as it stands on the wire.
bool is_public_token(std::string_view token);

// The text names an object of the kernel and no file: "pipe:[7]", "anon_inode:[eventpoll]".
bool is_kernel_object(std::string_view target);

}  // namespace slowtrace::trace
