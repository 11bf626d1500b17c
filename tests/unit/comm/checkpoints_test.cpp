// SPDX-License-Identifier: Apache-2.0

// Checkpoints by themselves: which file is taken up and by whom, what becomes of damaged ones, of full disks and of killed writers.

#include <partita/comm/checkpoints.hpp>
#include <partita/comm/run.hpp>
#include <partita/optimize/lbfgs.hpp>
#include <partita/optimize/newton.hpp>

#include "unit/persist/model_mutator.hpp"

#include <catch2/catch.hpp>

#include <boost/describe.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace checkpoints_test {

namespace pt = partita;

static_assert(pt::Persistable<pt::LbfgsState> && pt::Persistable<pt::NewtonState>);
static_assert(!std::is_copy_assignable_v<pt::Session> && !std::is_default_constructible_v<pt::Checkpoints>);

namespace {

/// A folder of its own, removed at the end.
class Folder {
  public:
    Folder() {
        char name[] = "checkpoints_XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }
    std::vector<std::string> files() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) names.insert(entry.path().string());
        return {names.begin(), names.end()};
    }

  private:
    std::string path_;
};

/// A state whose every iteration depends on all before.
struct Numbers {
    std::vector<double> values{1, 2, 3};
    std::int64_t iterations = 0;
    friend bool operator==(const Numbers&, const Numbers&) = default;

    void iterate() {
        for (double& value : values) value = value * 1.25 - static_cast<double>(++iterations) / 3;
        iterations -= static_cast<std::int64_t>(values.size()) - 1;
    }
};
BOOST_DESCRIBE_STRUCT(Numbers, (), (values, iterations))

pt::FitIdentity identity() { return pt::FitIdentity("Numbers").add("step", 1.25); }

struct Stop {};

double valley(std::span<const double> x, std::span<double> g, std::span<double> h) {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g[0] = -2 * a - 400 * x[0] * b;
    g[1] = 200 * b;
    if (!h.empty()) {
        h[0] = 2 - 400 * (x[1] - 3 * x[0] * x[0]);
        h[1] = -400 * x[0];
        h[2] = 200;
    }
    return a * a + 100 * b * b;
}
double valley_without_hessian(std::span<const double> x, std::span<double> g) { return valley(x, g, {}); }

/// Iterates to `last`, and stops before if `stop_at` says so. Gives the state and where it began.
struct Run {
    Numbers state;
    std::int64_t began_at = 0;
};
Run iterate(pt::Session& session, std::int64_t last, std::int64_t stop_at = -1, pt::FitIdentity (*who)() = identity) {
    pt::Checkpoints checkpoints(session, [who] { return who(); });
    Run run;
    checkpoints.resume(run.state, [](const Numbers& read) { return read.values.size() == 3 && read.iterations > 0; });
    run.began_at = run.state.iterations;
    while (run.state.iterations < last) {
        run.state.iterate();
        checkpoints.keep(run.state.iterations, run.state);
        if (run.state.iterations == stop_at) throw Stop();
    }
    return run;
}
Run iterate_alone(const std::string& folder, std::int64_t last, std::int64_t stop_at = -1,
                  pt::FitIdentity (*who)() = identity, std::uint64_t seed = 0) {
    pt::LocalSession session({.threads = 1, .seed = seed, .checkpoint = {.folder = folder, .every = 3}});
    return iterate(session, last, stop_at, who);
}

Numbers expected(std::int64_t last) {
    Numbers state;
    while (state.iterations < last) state.iterate();
    return state;
}

std::string refusal(const std::string& folder) {
    std::vector<std::string> lines(3);
    pt::run<pt::TreeAggregate<>>({.threads = 1, .workers = 3, .checkpoint = {.folder = folder, .every = 3}},
                                 [&](pt::Session& session) {
                                     try {
                                         iterate(session, 7);
                                     } catch (const pt::FileError& error) {
                                         lines[session.rank()] = error.what();
                                     }
                                 });
    CHECK(lines[1] == lines[0]);
    CHECK(lines[2] == lines[0]);
    return lines[0];
}

}  // namespace

TEST_CASE("a run that was stopped goes on at its newest checkpoint, on other workers, to the same state", "[comm]") {
    const Folder folder;
    CHECK_THROWS_AS(iterate_alone(folder.path(), 20, 11), Stop);
    CHECK(folder.files().size() == 2);
    for (const std::size_t workers : {1u, 2u, 5u}) {
        std::vector<Run> runs(workers);
        pt::run<pt::TreeAggregate<>>(
            {.threads = 1, .workers = workers, .checkpoint = {.folder = folder.path(), .every = 100}},
            [&](pt::Session& session) { runs[session.rank()] = iterate(session, 20); });
        for (const Run& run : runs) {
            CHECK(run.state == expected(20));
            CHECK(run.began_at == 9);
        }
    }
    CHECK(iterate_alone("", 20).began_at == 0);
    CHECK(iterate_alone(folder.path(), 20).began_at == 9);
    CHECK(iterate_alone(folder.path(), 20).began_at == 18);
    const auto files = folder.files();
    REQUIRE(files.size() == 2);
    CHECK(files[0].ends_with("-0000000015.safetensors"));
    CHECK(files[1].ends_with("-0000000018.safetensors"));
}

TEST_CASE("a descent goes on from any of its states as if it had not stopped", "[comm]") {
    const std::vector<double> start{-1.2, 1};
    const pt::LbfgsSettings settings{{.max_iterations = 60}, 3};
    const auto goes_on = [&]<class State>(State, auto descend, auto fits) {
        const auto ignore = [](const State&) {};
        const pt::Descent whole = descend(State(start), ignore);
        REQUIRE(whole.iterations > 8);
        for (int stop = 1; stop <= whole.iterations; ++stop) {
            const Folder folder;
            const auto session_settings =
                pt::RunSettings{.threads = 1, .checkpoint = {.folder = folder.path(), .every = 1}};
            const auto run = [&](bool stops) {
                pt::LocalSession session(session_settings);
                pt::Checkpoints checkpoints(session, [] { return pt::FitIdentity("Descent"); });
                State state(start);
                CHECK(checkpoints.resume(state, fits) != stops);
                return descend(std::move(state), [&](const State& now) {
                    if (!stops) return;
                    // only the last counts, and files are slow
                    if (now.descent().iterations == stop) {
                        checkpoints.keep(stop, now);
                        throw Stop();
                    }
                });
            };
            CHECK_THROWS_AS(run(true), Stop);
            const pt::Descent rest = run(false);
            CHECK(rest.point == whole.point);
            CHECK(rest.history == whole.history);
            CHECK(rest.evaluations == whole.evaluations);
            CHECK(rest.stopped == whole.stopped);
        }
    };
    goes_on(
        pt::LbfgsState(),
        [&](pt::LbfgsState state, auto after) {
            return pt::lbfgs(std::move(state), valley_without_hessian, settings, after);
        },
        [&](const pt::LbfgsState& state) { return state.fits(2, settings) && !state.fits(3, settings); });
    goes_on(
        pt::NewtonState(),
        [&](pt::NewtonState state, auto after) { return pt::newton(std::move(state), valley, settings, after); },
        [&](const pt::NewtonState& state) { return state.fits(2) && !state.fits(3); });
}

TEST_CASE("a damaged checkpoint is passed over for the one before, and the next one takes its place", "[comm]") {
    const Folder folder;
    CHECK_THROWS_AS(iterate_alone(folder.path(), 20, 11), Stop);
    const auto files = folder.files();
    const std::string newest = pt::read_whole_file(files[1]), before = pt::read_whole_file(files[0]);
    const auto put = [](const std::string& path, std::string_view bytes) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    };
    // where each byte in turn is another one (a prime step keeps it quick), and where the file ends early
    for (std::size_t at = 0; at < newest.size(); at += 53) {
        std::string damaged = newest;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
        put(files[1], at % 2 == 0 ? std::string_view(damaged) : std::string_view(newest).substr(0, at));
        pt::LocalSession session({.threads = 1, .checkpoint = {.folder = folder.path(), .every = 3}});
        const Run run = iterate(session, 7);
        CHECK(run.began_at == 6);
        CHECK(run.state == expected(7));
        CHECK(!std::filesystem::exists(files[1]));
    }
    put(files[1], before);  // whole, but the number that it holds is another
    CHECK(iterate_alone(folder.path(), 7).began_at == 6);
    std::filesystem::create_directory(files[1]);  // which cannot be read
    CHECK(iterate_alone(folder.path(), 7).began_at == 6);
    std::filesystem::remove(files[1]);
    put(files[0], "");
    CHECK(iterate_alone(folder.path(), 20).state == expected(20));
    CHECK(iterate_alone(folder.path(), 20).began_at == 18);
}

TEST_CASE("a state that does not fit is not gone on from", "[comm]") {
    const Folder folder;
    pt::LocalSession session({.threads = 1, .checkpoint = {.folder = folder.path(), .every = 1}});
    const auto keep = [&](std::int64_t number, const auto& state) {
        pt::Checkpoints(session, [] { return identity(); }).keep(number, state);
    };
    keep(1, Numbers{{1, 2, 3}, 1});
    keep(2, Numbers{{1, 2, 3, 4}, 2});
    CHECK(iterate_alone(folder.path(), 1).began_at == 1);
    keep(3, std::vector<double>{1});  // another type of state
    CHECK(iterate_alone(folder.path(), 1).began_at == 1);
}

TEST_CASE("whatever the bytes of a checkpoint are, they are refused or a descent goes on", "[comm]") {
    const Folder folder;
    const pt::LbfgsSettings settings{{.max_iterations = 9}, 3};
    const auto try_mutants = [&]<class State>(State state, auto descend, auto fits) {
        pt::CheckpointFiles files(folder.path(), "Valley", "of the test");
        descend(State(std::vector<double>{-1.2, 1}), [&](const State& now) {
            if (now.descent().iterations == 5) state = now;
        });
        files.write(5, [&](pt::ModelWriter& writer) { pt::save_value(writer, {}, state); });
        const std::string bytes = pt::read_whole_file(files.path(5));
        int refused = 0, accepted = 0;
        for (std::uint64_t seed = 0; seed < 1000; ++seed) {
            sample::Random random{seed};
            std::string mutant = bytes;
            sample::mutate_structure(mutant, random);
            sample::repair(mutant);
            try {
                State read;
                pt::CheckpointFiles::read(mutant, "a mutant", "Valley", "of the test", 5, [&](pt::ModelReader& reader) {
                    pt::load_value(reader, {}, read);
                    if (!fits(read)) reader.invalid("it does not fit");
                });
                ++accepted;
                CHECK(descend(std::move(read), [](const State&) {}).point.size() == 2);
            } catch (const pt::ModelFileError&) {
                ++refused;
            }
        }
        CHECK(refused > 500);
        CHECK(accepted > 50);  // those with other numbers
    };
    try_mutants(
        pt::LbfgsState(),
        [&](pt::LbfgsState state, auto after) {
            return pt::lbfgs(std::move(state), valley_without_hessian, settings, after);
        },
        [&](const pt::LbfgsState& state) { return state.fits(2, settings); });
    try_mutants(
        pt::NewtonState(),
        [&](pt::NewtonState state, auto after) { return pt::newton(std::move(state), valley, settings, after); },
        [&](const pt::NewtonState& state) { return state.fits(2); });
}

TEST_CASE("a checkpoint is taken up by its own fit alone", "[comm]") {
    const Folder folder;
    CHECK(iterate_alone(folder.path(), 7).began_at == 0);
    CHECK(iterate_alone(folder.path(), 7).began_at == 6);
    using Identify = pt::FitIdentity (*)();
    const Identify others[] = {
        [] { return pt::FitIdentity("Other").add("step", 1.25); },
        [] { return pt::FitIdentity("Numbers").add("step", 1.25f).add("more", ""); },
        [] { return pt::FitIdentity("Numbers").add("step", std::nextafter(1.25, 2.0)); },
        [] { return pt::FitIdentity("Numbers").add("pace", 1.25); },
        [] { return pt::FitIdentity("Numbers"); },
        [] { return pt::FitIdentity("Numbers").add("step", "1.25\nmore (0): "); },
        [] { return pt::FitIdentity("Numbers").add("step", true).add("again", 7).add("hash", std::uint64_t{1} << 63); },
    };
    for (const Identify other : others) {
        CHECK(iterate_alone(folder.path(), 7, -1, other).began_at == 0);
        CHECK(iterate_alone(folder.path(), 7, -1, other).began_at == 6);
    }
    CHECK(iterate_alone(folder.path(), 7, -1, identity, 1).began_at == 0);
    CHECK(iterate_alone(folder.path(), 7).began_at == 6);

    // Where two identities have one checksum, that of the file's content still tells them apart.
    const Folder elsewhere;
    pt::CheckpointFiles one(elsewhere.path(), "Numbers", "one"), two(elsewhere.path(), "Numbers", "two");
    const auto save = [](pt::ModelWriter& writer) { pt::save_value(writer, {}, Numbers()); };
    const auto load = [](pt::ModelReader& reader) {
        Numbers read;
        pt::load_value(reader, {}, read);
    };
    one.write(3, save);
    std::filesystem::copy(one.path(3), two.path(3));
    CHECK(pt::CheckpointFiles(elsewhere.path(), "Numbers", "two").newest(load).empty());
    CHECK(!pt::CheckpointFiles(elsewhere.path(), "Numbers", "one").newest(load).empty());
}

TEST_CASE("a folder or a disk that refuses is the same typed error on all workers", "[comm]") {
    const Folder folder;
    CHECK_THAT(refusal(folder.path() + "/absent"), Catch::Contains("/absent: No such file or directory") &&
                                                       Catch::Contains("make the folder, or name another"));
    std::ofstream(folder.path() + "/file") << "f";
    CHECK_THAT(refusal(folder.path() + "/file"), Catch::Contains("Not a directory"));

    rlimit before = {};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 100;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string full = refusal(folder.path());
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK_THAT(full, Catch::StartsWith("cannot write") && Catch::Contains("File too large"));
    CHECK(folder.files().size() == 1);  // no temporary is left
}

TEST_CASE("a kill while checkpoints are written leaves a whole one, and the next start cleans up", "[comm]") {
    const Folder folder;
    const auto partial = [&] {
        std::size_t count = 0;
        for (const std::string& file : folder.files()) count += file.find(".partial-") != file.npos ? 1 : 0;
        return count;
    };
    std::int64_t reached = 0;
    std::size_t left = 0;
    for (int kill = 0; kill < 12; ++kill) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            try {
                pt::LocalSession session({.threads = 1, .checkpoint = {.folder = folder.path(), .every = 1}});
                iterate(session, 1'000'000);
            } catch (...) {
            }
            ::_exit(1);
        }
        ::usleep(static_cast<useconds_t>(20'000 + 3'700 * kill));
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        left += partial();
        const Run run = iterate_alone(folder.path(), 0);
        CHECK(run.began_at >= reached);
        CHECK(run.state == expected(run.began_at));
        CHECK(partial() == 0);
        reached = run.began_at;
    }
    CHECK(reached > 0);
    CHECK(left > 0);  // most of the time goes into writing
}

TEST_CASE("checkpoints are set by the environment, and refused out of range", "[comm]") {
    const Folder folder;
    ::setenv("PARTITA_CHECKPOINT_FOLDER", folder.path().c_str(), 1);
    ::setenv("PARTITA_CHECKPOINT_EVERY", "7", 1);
    {
        pt::LocalSession session;
        CHECK(session.settings().checkpoint.folder == folder.path());
        CHECK(session.settings().checkpoint.every == 7);
    }
    for (const char* wrong : {"0", "-1", "7 ", "1000000001", "five"}) {
        ::setenv("PARTITA_CHECKPOINT_EVERY", wrong, 1);
        CHECK_THROWS_AS(pt::LocalSession(), pt::InvalidSetting);
    }
    ::unsetenv("PARTITA_CHECKPOINT_FOLDER");
    ::unsetenv("PARTITA_CHECKPOINT_EVERY");
    CHECK_THROWS_AS(pt::LocalSession({.checkpoint = {.every = 0}}), pt::InvalidSetting);
    CHECK(pt::LocalSession().settings().checkpoint.folder.empty());
}

}  // namespace checkpoints_test
