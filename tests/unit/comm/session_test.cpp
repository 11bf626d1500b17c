// SPDX-License-Identifier: Apache-2.0

#include <partita/comm/run.hpp>

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace session_test {

namespace pt = partita;

static_assert(std::is_same_v<void, decltype(pt::run<pt::LocalThreads>({}, [](pt::Session&) {}))>);
static_assert(std::is_same_v<int, decltype(pt::run<pt::RingAllReduce<>>({}, [](pt::Session&) { return 1; }))>);
static_assert(std::is_base_of_v<pt::Session, pt::LocalSession>);
static_assert(!std::is_copy_constructible_v<pt::LocalSession>);

namespace {

/// Sets a variable of the environment for a scope. Tests of one program run one after the other.
class Environment {
  public:
    Environment(const char* name, const char* value) : name_(name) {
        if (const char* former = std::getenv(name)) former_ = std::make_unique<std::string>(former);
        setenv(name, value, 1);
    }
    ~Environment() {
        if (former_) {
            setenv(name_, former_->c_str(), 1);
        } else {
            unsetenv(name_);
        }
    }

  private:
    const char* name_;
    std::unique_ptr<std::string> former_;
};

struct File {
    std::FILE* stream = std::tmpfile();
    ~File() { std::fclose(stream); }
    std::string text() const {
        std::string text(4096, '\0');
        std::rewind(stream);
        text.resize(std::fread(text.data(), 1, text.size(), stream));
        return text;
    }
};

std::string setting_refused(const char* name, const char* value) {
    const Environment environment(name, value);
    try {
        pt::LocalSession session;
        return "accepted";
    } catch (const pt::InvalidSetting& error) {
        return error.place().setting;
    }
}

}  // namespace

TEST_CASE("a local session", "[comm]") {
    pt::LocalSession session({.threads = 3, .seed = 17});
    CHECK(session.rank() == 0);
    CHECK(session.size() == 1);
    CHECK(session.primary());
    CHECK(session.threads() == 3);
    CHECK(session.pool().threads() == 3);
    CHECK(session.seed() == 17);
    std::int64_t word = 5;
    session.communicator().all_reduce({&word, 1});
    CHECK(word == 5);
    CHECK(session.communicator().all_gather(pt::as_bytes_of("me")).size() == 1);
    pt::Bytes bytes(3);
    session.communicator().broadcast(bytes);
    CHECK(bytes.size() == 3);
    CHECK_THROWS_AS(session.communicator().broadcast(bytes, 1), pt::InvalidSetting);
    CHECK_THROWS_AS(session.communicator().agree(pt::attempt([] { throw pt::EmptyDataset("none"); })),
                    pt::EmptyDataset);
    CHECK_NOTHROW(session.communicator().barrier());
    std::vector<int> marks(10);
    session.for_each(10, [&](std::size_t index, std::size_t) { marks[index] = 1; });
    CHECK(marks == std::vector<int>(10, 1));
}

TEST_CASE("every policy starts as it is written in programs, and returns what the body returns", "[comm]") {
    const auto body = [](pt::Session& session) {
        std::int64_t ones = 1;
        session.communicator().all_reduce({&ones, 1});
        return std::pair(static_cast<std::size_t>(ones), session.size());
    };
    CHECK(pt::run<pt::LocalThreads>({}, body) == std::pair<std::size_t, std::size_t>(1, 1));
    for (const auto& [count, size] : {pt::run<pt::RingAllReduce<>>({}, body), pt::run<pt::TreeAggregate<>>({}, body),
                                      pt::run<pt::ParameterServer<>>({}, body)}) {
        CHECK(size == pt::hardware_threads());
        CHECK(count == size);
    }
    CHECK(pt::run<pt::TreeAggregate<>>({.workers = 3}, body).first == 3);
    // the value of worker 0; it need not be copyable
    CHECK(*pt::run<pt::TreeAggregate<>>(
              {.workers = 3}, [](pt::Session& session) { return std::make_unique<std::size_t>(session.rank()); }) == 0);
}

TEST_CASE("workers share the machine's threads", "[comm]") {
    const std::size_t machine = pt::hardware_threads();
    CHECK(pt::run<pt::LocalThreads>({}, [](pt::Session& session) { return session.threads(); }) == machine);
    CHECK(pt::run<pt::RingAllReduce<>>({.workers = 2 * machine},
                                       [](pt::Session& session) { return session.threads(); }) == 1);
    CHECK(pt::run<pt::RingAllReduce<>>({.threads = 3, .workers = 2},
                                       [](pt::Session& session) { return session.threads(); }) == 3);
}

TEST_CASE("the environment overrides the settings", "[comm]") {
    const auto sizes = [](pt::Session& session) { return std::pair(session.size(), session.threads()); };
    {
        const Environment threads("PARTITA_THREADS", "3"), workers("PARTITA_WORKERS", "4");
        CHECK(pt::run<pt::RingAllReduce<>>({.threads = 1, .workers = 2}, sizes) ==
              std::pair<std::size_t, std::size_t>(4, 3));
        CHECK(pt::run<pt::LocalThreads>({}, sizes) == std::pair<std::size_t, std::size_t>(1, 3));
    }
    {
        const Environment deadline("PARTITA_DEADLINE_SECONDS", "2.5"), progress("PARTITA_PROGRESS", "0");
        pt::LocalSession session({.progress = pt::ShowProgress::always});
        CHECK(session.settings().deadline_seconds == 2.5);
        CHECK(session.settings().progress == pt::ShowProgress::never);
    }
    {
        const Environment progress("PARTITA_PROGRESS", "1"), empty("PARTITA_THREADS", "");
        pt::LocalSession session;
        CHECK(session.settings().progress == pt::ShowProgress::always);
    }
}

TEST_CASE("bad settings are refused by name", "[comm]") {
    for (const char* value : {"0", "-1", "two", "3x", "1e3", "99999", " 2", "18446744073709551617"}) {
        CAPTURE(value);
        CHECK(setting_refused("PARTITA_THREADS", value) == "PARTITA_THREADS");
        CHECK(setting_refused("PARTITA_WORKERS", value) == "PARTITA_WORKERS");
    }
    for (const char* value : {"0", "-1", "soon", "nan", "inf", "1e10"}) {
        CAPTURE(value);
        CHECK(setting_refused("PARTITA_DEADLINE_SECONDS", value) == "PARTITA_DEADLINE_SECONDS");
    }
    for (const char* value : {"2", "yes", "on"})
        CHECK(setting_refused("PARTITA_PROGRESS", value) == "PARTITA_PROGRESS");
    CHECK_THROWS_AS(pt::LocalSession({.deadline_seconds = 0}), pt::InvalidSetting);
    CHECK_THROWS_AS(pt::LocalSession({.deadline_seconds = -1}), pt::InvalidSetting);
    CHECK_THROWS_AS(pt::LocalSession({.threads = 5000}), pt::InvalidSetting);
    CHECK_THROWS_AS(pt::run<pt::LocalThreads>({.workers = 2}, [](pt::Session&) {}), pt::InvalidSetting);
}

TEST_CASE("print writes once, in order, from worker 0", "[comm]") {
    File file;
    pt::run<pt::RingAllReduce<>>({.workers = 3, .output = file.stream}, [](pt::Session& session) {
        session.print("RMSE {:.2f} dollars over {} rows\n", 1.005, 12);
        session.print("done\n");
    });
    CHECK(file.text() == "RMSE 1.00 dollars over 12 rows\ndone\n");
}

TEST_CASE("all workers throw if worker 0 cannot write", "[comm]") {
    std::FILE* full = std::fopen("/dev/full", "w");
    if (full == nullptr) return;  // not on this system
    std::vector<std::int64_t> process(3, -1);
    CHECK_THROWS_AS(pt::run<pt::TreeAggregate<>>({.workers = 3, .output = full},
                                                 [&](pt::Session& session) {
                                                     try {
                                                         session.print("text\n");
                                                     } catch (const pt::FileError& error) {
                                                         process[session.rank()] = error.place().process;
                                                         throw;
                                                     }
                                                 }),
                    pt::FileError);
    CHECK(process == std::vector<std::int64_t>(3, 0));
    std::fclose(full);
}

TEST_CASE("cancelling a run ends its loops on all workers", "[comm]") {
    pt::RunSettings settings{.threads = 2, .workers = 3};
    CHECK_THROWS_AS(pt::run<pt::ParameterServer<>>(settings,
                                                   [&](pt::Session& session) {
                                                       const auto pending = pt::attempt([&] {
                                                           session.for_each(1000, [&](std::size_t index, std::size_t) {
                                                               if (session.rank() == 1 && index == 5)
                                                                   settings.cancel.cancel();
                                                           });
                                                       });
                                                       session.communicator().agree(pending);
                                                   }),
                    pt::Cancelled);
}

TEST_CASE("progress goes to the sink of worker 0", "[comm]") {
    struct Sink : pt::Progress {
        std::string log;
        void begin(std::string_view work, std::uint64_t total) override {
            log += std::string(work) + std::to_string(total);
        }
        void advance(std::uint64_t steps) override { log += "+" + std::to_string(steps); }
        void end() override { log += "."; }
    } sink;
    pt::run<pt::TreeAggregate<>>({.workers = 2, .progress_sink = &sink}, [](pt::Session& session) {
        pt::ProgressScope work(session.progress(), "fit", 2);
        work.advance();
        work.advance(session.rank() + 1);
    });
    CHECK(sink.log == "fit2+1+1.");
}

TEST_CASE("a run in a run", "[comm]") {
    const auto inner = [](pt::Session& session) {
        std::int64_t one = 1;
        session.communicator().all_reduce({&one, 1});
        return one;
    };
    CHECK(pt::run<pt::TreeAggregate<>>({.workers = 2}, [&](pt::Session&) {
              return pt::run<pt::RingAllReduce<>>({.workers = 3}, inner) + pt::run<pt::LocalThreads>({}, inner);
          }) == 4);
}

}  // namespace session_test
