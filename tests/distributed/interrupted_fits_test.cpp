// SPDX-License-Identifier: Apache-2.0

// A pipeline is fitted by four workers, of which one fails: each worker, at each collective call of the fit, in each way. And the fit
// goes on from its checkpoints, which no other fit takes up.

#include "every_fault.hpp"

#include <partita/comm/run.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/assemble.hpp>
#include <partita/feature/impute.hpp>
#include <partita/feature/one_hot_encode.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/linear/logistic_regression.hpp>
#include <partita/pipeline/model_file.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe.hpp>

#include <cmath>
#include <filesystem>
#include <set>

#include <unistd.h>

namespace interrupted_fits_test {

namespace pt = partita;

namespace {

struct Flight {
    pt::Category from;
    std::optional<float> wind;
    float distance = 0;
    bool kept = false, late = false;
};
BOOST_DESCRIBE_STRUCT(Flight, (), (from, wind, distance, kept, late))

/// A few rows of each of six blocks, so that every worker has some and a fit takes little time.
const std::vector<Flight>& flights() {
    static const std::vector<Flight> rows = [] {
        static constexpr const char* towns[] = {"JFK", "EWR", "LGA"};
        std::vector<Flight> made(6 * 4096);
        for (std::size_t i = 0; i < made.size(); ++i) {
            const auto x = static_cast<float>(i);
            made[i].from = towns[i % 97 % 3];
            if (i % 11 != 0) made[i].wind = 10 + 9 * std::sin(x);
            made[i].distance = 100 + static_cast<float>(i * 37 % 2500);
            made[i].kept = i % 61 == 0;
            made[i].late = std::sin(1.7f * x) + made[i].wind.value_or(10) / 8 > 1 + made[i].distance / 3000;
        }
        return made;
    }();
    return rows;
}

using Learner = pt::LogisticRegression<"features", "late">;

/// A fit, of all rows if they are not to be chosen or weighted.
std::string fit(pt::Session& session, const std::vector<Flight>& rows, const Learner& learner, bool chosen,
                bool weighted) {
    auto data = pt::dataset(session, rows);
    if (chosen) data = data.filter<"kept">([](bool kept) { return kept; });
    if (weighted) data = data.weigh_by<"distance">();
    return pt::to_bytes(
        (pt::Impute<"wind">{.strategy = pt::Imputation::median} | pt::OneHotEncode<"from", pt::Unseen::all_zero>{} |
         pt::Assemble<"wind", "distance", "from", "features">{} | pt::StandardScale<"features">{} | learner)
            .fit(pt::as_train(data)));
}
std::string fit(pt::Session& session) {
    return fit(session, flights(),
               {.l2 = 1e-4, .solver = pt::LogisticSolver::lbfgs, .max_iterations = 9, .tolerance = 1e-12}, true, false);
}

/// A folder of its own, where there is one in memory, because a disk would be waited for at every checkpoint.
class Folder {
  public:
    Folder() {
        for (std::string name : {"/dev/shm/interrupted_XXXXXX", "interrupted_XXXXXX"}) {
            if (::mkdtemp(name.data()) == nullptr) continue;
            path_ = name;
            return;
        }
        FAIL("no folder can be made");
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }
    void clear() const {
        for (const auto& entry : std::filesystem::directory_iterator(path_)) std::filesystem::remove(entry);
    }
    std::size_t count() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
    }
    /// The files' names without their numbers: one for each fit.
    std::size_t fits() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) {
            const std::string name = entry.path().filename();
            names.insert(name.substr(0, name.rfind('-')));
        }
        return names.size();
    }

  private:
    std::string path_;
};

/// A worker's run, and in a line what it came to: its result, or the error.
void run_into(pt::Session& session, every_fault::Body body, std::string& line) {
    try {
        line = body(session);
    } catch (const pt::RemoteError& error) {
        line = "remote_error of " + std::to_string(error.place().process) + ": " + error.type();
        throw;
    } catch (const pt::Error& error) {
        line = std::string(error.cause()) + " of " + std::to_string(error.place().process);
        throw;
    } catch (const std::exception& error) {
        line = std::string("original ") + error.what();
        throw;
    }
}

template <class Policy>
std::vector<std::string> ends(every_fault::Body body, const pt::FaultPlan* plan, const std::string& folder,
                              std::size_t count) {
    std::vector<std::string> lines(count, "gone");
    try {
        pt::run<Policy>({.threads = 1,
                         .workers = count,
                         .deadline_seconds = 60,
                         .checkpoint = {.folder = folder, .every = 2},
                         .progress = pt::ShowProgress::never,
                         .instruments = {.faults = plan}},
                        [&](pt::Session& session) { run_into(session, body, lines[session.rank()]); });
    } catch (const std::exception&) {  // what the workers ended with is what counts
    }
    return lines;
}

/// Fits that fail, and that go on from what a killed one left, with other workers under another policy.
void every_fault_of_a_fit(every_fault::Ends* broken, std::uint64_t step, bool in_every_way) {
    const Folder folder;
    const std::string healthy = broken(fit, nullptr, "", 1)[0];
    every_fault::at_calls(
        [&](const pt::FaultPlan* plan) {
            folder.clear();
            return broken(fit, plan, plan == nullptr ? "" : folder.path(), every_fault::workers);
        },
        step, in_every_way,
        [&](std::size_t number) {
            const std::size_t others = 1 + number % 5;
            CHECK(ends<pt::RingAllReduce<>>(fit, nullptr, folder.path(), others) ==
                  std::vector<std::string>(others, healthy));
            CHECK(folder.count() == 2);
        });
}

}  // namespace

}  // namespace interrupted_fits_test

namespace every_fault {

std::vector<std::string> ring(Body body, const partita::FaultPlan* plan, const std::string& folder, std::size_t count) {
    return interrupted_fits_test::ends<partita::Faulty<partita::RingAllReduce<>>>(body, plan, folder, count);
}
std::vector<std::string> tree(Body body, const partita::FaultPlan* plan, const std::string& folder, std::size_t count) {
    return interrupted_fits_test::ends<partita::Faulty<partita::TreeAggregate<>>>(body, plan, folder, count);
}
std::vector<std::string> server(Body body, const partita::FaultPlan* plan, const std::string& folder,
                                std::size_t count) {
    return interrupted_fits_test::ends<partita::Faulty<partita::ParameterServer<>>>(body, plan, folder, count);
}

}  // namespace every_fault

namespace interrupted_fits_test {

TEST_CASE("at every call of a fit a worker fails: ring", "[faults][in_process]") {
    every_fault_of_a_fit(every_fault::ring, 4, false);
}
TEST_CASE("at some calls of a fit every worker fails: tree", "[faults][in_process]") {
    every_fault_of_a_fit(every_fault::tree, 19, false);
}
TEST_CASE("at some calls of a fit every worker fails: server", "[faults][in_process]") {
    every_fault_of_a_fit(every_fault::server, 19, false);
}
TEST_CASE("every worker fails at every call of a fit, in every way: ring", "[.full]") {
    every_fault_of_a_fit(every_fault::ring, 1, true);
}
TEST_CASE("every worker fails at every call of a fit, in every way: tree", "[.full]") {
    every_fault_of_a_fit(every_fault::tree, 1, true);
}
TEST_CASE("every worker fails at every call of a fit, in every way: server", "[.full]") {
    every_fault_of_a_fit(every_fault::server, 1, true);
}

TEST_CASE("checkpoints change no bytes, and each fit has its own", "[faults][in_process]") {
    const Folder folder;
    std::size_t fits = 0;
    std::vector<Flight> rows(flights().begin(), flights().begin() + 5000);
    const auto is_new_fit = [&](const Learner& learner, bool chosen = false, bool weighted = false) {
        const auto fitted = [&](const std::string& to) {
            pt::LocalSession session({.threads = 2, .checkpoint = {.folder = to, .every = 1}});
            return fit(session, rows, learner, chosen, weighted);
        };
        const std::string plain = fitted("");
        CHECK(fitted(folder.path()) == plain);
        CHECK(fitted(folder.path()) == plain);  // gone on from the last iteration
        return folder.fits() == ++fits;
    };
    // A setting that is new belongs into LogisticPlan::identity and into this list.
    const auto& [l2, fit_intercept, standardize, class_weights, threshold, solver, newton_limit, max_iterations,
                 tolerance, must_converge] = Learner{};
    static_cast<void>(threshold);      // decides nothing of the descent,
    static_cast<void>(must_converge);  // nor does this
    CHECK(is_new_fit({.l2 = 1e-3}));
    CHECK(is_new_fit({.l2 = l2 + 2e-3}));
    CHECK(is_new_fit({.l2 = 1e-3, .fit_intercept = !fit_intercept}));
    CHECK(is_new_fit({.l2 = 1e-3, .standardize = !standardize}));
    CHECK(class_weights == pt::ClassWeights::equal);
    CHECK(is_new_fit({.l2 = 1e-3, .class_weights = pt::ClassWeights::balanced}));
    CHECK(solver == pt::LogisticSolver::automatic);
    CHECK(is_new_fit({.l2 = 1e-3, .solver = pt::LogisticSolver::lbfgs}));
    CHECK(is_new_fit({.l2 = 1e-3, .newton_limit = newton_limit + 1}));
    CHECK(is_new_fit({.l2 = 1e-3, .max_iterations = max_iterations + 1}));
    CHECK(is_new_fit({.l2 = 1e-3, .tolerance = tolerance / 2}));
    CHECK(is_new_fit({.l2 = 1e-3}, true));
    CHECK(is_new_fit({.l2 = 1e-3}, false, true));
    rows[4999].late = !rows[4999].late;
    CHECK(is_new_fit({.l2 = 1e-3}));
}

TEST_CASE("a checksum sees every value of a view, and nothing else", "[faults][in_process]") {
    using pt::detail::hash_view;
    std::vector<std::int64_t> offsets{3, 4, 6};
    std::vector<std::int32_t> codes{0, 0, 0, 1, 0, 2};
    std::vector<float> values{0, 0, 0, 1, 2, 3};
    std::string bytes = "...abc";
    std::vector<std::string_view> texts{"a", "b", "c"};
    std::uint8_t validity = 0b101000;
    const auto hashes = [&](std::size_t columns) {
        const pt::CategoryView categories(codes.data() + 3, 3, texts.data(), texts.size());
        return std::vector<std::uint64_t>{
            hash_view(pt::SparseView<float>{offsets.data(), codes.data(), values.data(), 2, columns}, 1),
            hash_view(pt::OneHotView{codes.data() + 3, 3, columns}, 1),
            hash_view(pt::MatrixView<const float>(values.data() + 3, 1, columns), 1),
            hash_view(std::span<const float>(values).subspan(3), 1),
            hash_view(pt::TextView(bytes.data(), offsets.data(), 2), 1),
            hash_view(categories, 1),
            hash_view(pt::NullableView<std::span<const float>>(std::span<const float>(values).subspan(3), &validity, 3),
                      1),
            hash_view(pt::NullableView<pt::CategoryView>(categories, &validity, 3), 1)};
    };
    const auto before = hashes(3);
    CHECK(std::set<std::uint64_t>(before.begin(), before.end()).size() == before.size());
    const auto differ = [&](std::size_t columns = 3) {
        const auto now = hashes(columns);
        std::string which;
        for (std::size_t i = 0; i < now.size(); ++i) which += now[i] == before[i] ? '=' : 'x';
        return which;
    };
    CHECK(differ(2) == "xxx=====");
    codes[0] = codes[2] = 7;  // of rows before these
    values[1] = 7;
    bytes[0] = '!';
    CHECK(differ() == "========");
    std::swap(texts[0], texts[2]);  // and codes in the same way: the texts stay
    codes = {7, 0, 7, 1, 2, 0};
    CHECK(differ() == "xx======");
    std::swap(texts[0], texts[2]);
    codes = {7, 0, 7, 1, 0, 2};
    values[4] = 9;  // where a value is missing
    CHECK(differ() == "x=xx====");
    values[4] = 2;
    values[5] = std::nextafter(values[5], 4.0f);
    CHECK(differ() == "x=xx==x=");
    values[5] = 3;
    bytes[4] = 'c';
    CHECK(differ() == "====x===");
    bytes[4] = 'b';
    offsets[1] = 5;  // the border between two rows
    CHECK(differ() == "x===x===");
    offsets[1] = 4;
    texts[2] = "d";
    CHECK(differ() == "=====x=x");
    texts[2] = "c";
    validity = 0b111000;
    CHECK(differ() == "======xx");
}

}  // namespace interrupted_fits_test
