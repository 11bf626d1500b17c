// SPDX-License-Identifier: Apache-2.0

#include <partita/exec/progress.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

namespace progress_test {

namespace pt = partita;

namespace {

std::string contents(std::FILE* file) {
    std::string text(4096, '\0');
    std::rewind(file);
    text.resize(std::fread(text.data(), 1, text.size(), file));
    return text;
}

}  // namespace

TEST_CASE("a bar appears for long work only, and is wiped", "[exec]") {
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    {
        pt::TerminalProgress progress(file);
        pt::ProgressScope brief(progress, "brief", 10);
        for (int i = 0; i < 10; ++i) brief.advance();
    }
    CHECK(contents(file).empty());
    {
        pt::TerminalProgress progress(file);
        pt::ProgressScope work(progress, "fit", 4);
        work.advance();
        std::this_thread::sleep_for(std::chrono::milliseconds(350));
        pt::ProgressScope inner(progress, "inner", 100);
        inner.advance(50);  // inner steps are not those of the bar
    }
    CHECK(contents(file).empty());
    {
        pt::TerminalProgress progress(file);
        pt::ProgressScope work(progress, "fit", 4);
        std::this_thread::sleep_for(std::chrono::milliseconds(350));
        work.advance(2);
        work.advance(1);  // too soon after the last drawing
    }
    CHECK(contents(file) == "\rfit [##########..........] 50 %\033[K\r\033[K");
    std::fclose(file);
}

TEST_CASE("work of unknown length shows a count", "[exec]") {
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    {
        pt::TerminalProgress progress(file);
        pt::ProgressScope work(progress, "read", 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(350));
        work.advance(123);
    }
    CHECK(contents(file) == "\rread 123\033[K\r\033[K");
    std::fclose(file);
}

TEST_CASE("the switch", "[exec]") {
    CHECK(pt::wants_progress(pt::ShowProgress::always));
    CHECK_FALSE(pt::wants_progress(pt::ShowProgress::never));
    CHECK(pt::wants_progress(pt::ShowProgress::automatic) == (isatty(STDERR_FILENO) == 1));
}

}  // namespace progress_test
