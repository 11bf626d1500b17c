// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where laws are tried: the stage under test, sound rows for it, and the ways in which a fit may end.

#include <partita/pipeline/check_stage/probe.hpp>
#include <partita/pipeline/check_stage/report.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// Thrown by a law that does not apply to the stage.
struct NotApplicable {
    std::string reason;
};

struct BenchSettings {
    std::uint64_t seed = 1;
    std::size_t rows = 9000;
    double tolerance = 1e-9;
    std::span<const ListedFailure> listed{};
};

/// How something ended: with a value, with an error of the library's types, or with another exception.
struct Ending {
    bool threw = false, typed = false;
    std::string cause, what;
    Place place{};

    bool is(const char* name) const { return typed && cause == name; }
    std::string text() const {
        return !threw  ? "no error"
               : typed ? cause + " (" + what + ")"
                       : "an exception that is no partita::Error: " + what;
    }
};

inline Ending ending_of(FunctionRef<void()> action) {
    try {
        action();
    } catch (const Error& error) {
        return {true, true, error.cause(), error.what(), error.place()};
    } catch (const std::exception& error) {
        return {true, false, {}, error.what(), {}};
    } catch (...) {
        return {true, false, {}, "of an unknown type", {}};
    }
    return {};
}

/// A session of one process that shows nothing.
inline RunSettings quiet(std::size_t threads = 2, std::size_t workers = 1) {
    return {.threads = threads, .workers = workers, .progress = ShowProgress::never};
}

using FittedPointer = std::unique_ptr<FittedProbe>;

class LawBench {
  public:
    LawBench(const StageProbe& of_stage, BenchSettings with)
        : probe(of_stage),
          facts(of_stage.facts()),
          settings(with),
          report("check_stage " + facts.title, with.seed),
          session(quiet()) {
        recipe.seed = with.seed;
        recipe.rows = with.rows;
        remake();
    }

    const StageProbe& probe;
    StageFacts facts;
    BenchSettings settings;
    StageReport report;
    RowRecipe recipe;
    ChunkPointer sound;   ///< rows that the stage can be fitted on
    ChunkPointer result;  ///< what the stage makes of them
    std::string bytes;    ///< the model's file
    FittedPointer fitted;
    LocalSession session;

    void remake() { sound = make(recipe); }
    ChunkPointer make(const RowRecipe& of) const { return RowMaker(facts.columns, of).make(); }

    /// Tries one law: `body` gives a sentence with what is wrong, or nothing.
    void law(const char* name, FunctionRef<std::string()> body) {
        LawResult outcome{name};
        try {
            outcome.detail = body();
            if (!outcome.detail.empty()) outcome.outcome = LawOutcome::failed;
        } catch (const NotApplicable& reason) {
            outcome = {name, LawOutcome::not_applicable, reason.reason};
        } catch (const std::exception& error) {
            outcome = {name, LawOutcome::failed, std::string("threw: ") + error.what()};
        } catch (...) {
            outcome = {name, LawOutcome::failed, "threw something that is no std::exception"};
        }
        for (const ListedFailure& listed : settings.listed) {
            if (listed.law != name) continue;
            if (outcome.outcome == LawOutcome::failed) {
                outcome = {name, LawOutcome::failed_as_listed, listed.reason + " (" + outcome.detail + ")"};
            } else if (outcome.outcome == LawOutcome::passed) {
                outcome = {name, LawOutcome::failed, "passes, though it is listed as failing: take it off the list"};
            }
        }
        report.add(std::move(outcome));
    }

    FittedPointer fit(const ChunkPointer& rows, bool weighted = false, ProbeStage which = ProbeStage::fresh) {
        return probe.fit(session, {in_chunks(*rows, 1), weighted}, which);
    }
    std::string fit_bytes(const ChunkPointer& rows, bool weighted = false) { return fit(rows, weighted)->bytes(); }
    ChunkPointer transform(const FittedProbe& model, const ChunkPointer& rows) {
        return model.transform(session, in_chunks(*rows, 1));
    }
    std::string compare(const Chunk& expected, const Chunk& found, RowChoice rows_of_expected = {},
                        double tolerance = 0) const {
        return difference(facts.result, expected, rows_of_expected, found, tolerance);
    }

    void only_for(bool applies, const char* reason) const {
        if (!applies) throw NotApplicable{reason};
    }
    void only_for_learners() const { only_for(facts.learns, "the stage learns nothing"); }
    /// The floating-point columns that the fit or the transform reads.
    std::vector<std::size_t> floating(bool of_fit) const {
        std::vector<std::size_t> found;
        for (std::size_t c = 0; c < facts.columns.size(); ++c)
            if (is_floating(facts.columns[c].info.type) &&
                (of_fit ? facts.columns[c].read_by_fit : facts.columns[c].read_by_transform))
                found.push_back(c);
        return found;
    }
    /// A row in the middle that has a place for a number in that column.
    std::size_t put_in_the_middle(ChunkPointer& rows, std::size_t column, double number) const {
        for (std::size_t row = rows->rows() / 2;; ++row)
            if (put_number(rows, column, row, number)) return row;
    }
    std::vector<std::uint32_t> all_rows_but(const Chunk& rows, std::size_t left_out) const {
        std::vector<std::uint32_t> kept;
        for (std::size_t row = 0; row < rows.rows(); ++row)
            if (row != left_out) kept.push_back(static_cast<std::uint32_t>(row));
        return kept;
    }
    std::string at_seed() const { return " (seed " + std::to_string(settings.seed) + ")"; }
};

}  // namespace partita::inline PARTITA_ABI::detail
