// How finished calls change what a DescriptorWatch explains.
#pragma once

#include "record/tracee.hpp"

namespace slowtrace::record {

void apply_descriptor_effects(Tracee& tracee, const OpenCall& open);

}  // namespace slowtrace::record
