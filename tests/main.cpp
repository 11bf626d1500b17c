// SPDX-License-Identifier: Apache-2.0
// The one main of all test programs: Catch2 2 brings it by a macro, Catch2 3 by a call.
#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
