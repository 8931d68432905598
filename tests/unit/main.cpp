// The unit tests' entry point.
#define CATCH_CONFIG_RUNNER
#include "catch.hpp"

int main(int argument_count, char** arguments) {
    return Catch::Session().run(argument_count, arguments);
}
