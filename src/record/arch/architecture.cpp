// Finds the row of an architecture among all that are compiled in.
#include "record/arch/architecture.hpp"

namespace slowtrace::record {

const Architecture* find_architecture(std::uint32_t audit, std::uint64_t number) {
    const Architecture* untagged = nullptr;
    for (const auto rows : {x86_64_architectures(), aarch64_architectures()})
        for (const Architecture& row : rows) {
            if (row.audit != audit) continue;
            if (row.number_tag == 0)
                untagged = &row;
            else if (number != ~std::uint64_t{0} && (number & row.number_tag))
                return &row;
        }
    return untagged;
}

}  // namespace slowtrace::record
