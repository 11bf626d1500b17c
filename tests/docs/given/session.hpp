// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs the fragments of a page one after the other, each in a session of its own, and separates what they print.

#include <partita/comm/session.hpp>

#include <cstdio>
#include <exception>

namespace pt = partita;

namespace given {

inline int failures = 0;

inline void run(int line, void (*body)(pt::Session&)) {
    std::printf("@@ %d\n", line);
    try {
        pt::LocalSession session;
        body(session);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "the fragment of line %d throws: %s\n", line, error.what());
        ++failures;
    }
    std::fflush(stdout);
}

}  // namespace given
