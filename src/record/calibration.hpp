// Measures what this engine adds on this machine, on a child of slowtrace's own.
#pragma once

#include <cstdint>

namespace slowtrace::record {

struct Calibration {
    std::int64_t floor_ns = 0;      // the median duration an empty call shows when traced
    std::int64_t call_cost_ns = 0;  // wall time one traced call costs its thread beyond the untraced call
};

// Takes a few milliseconds. Throws Error with the cause and the remedy when ptrace is forbidden here.
Calibration calibrate();

}  // namespace slowtrace::record
