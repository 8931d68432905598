// Catch2 as this machine has it: version 2 (Debian 12) is one header, version 3 (Ubuntu 24.04) a library.
#pragma once

#if __has_include(<catch2/catch.hpp>)
#include <catch2/catch.hpp>
#else
#include <catch2/catch_all.hpp>
using Catch::Approx;
#endif
