// SPDX-License-Identifier: Apache-2.0
#pragma once

// Laws about settings, purity, repetition and the shape of results.

#include <partita/exec/thread_pool.hpp>
#include <partita/pipeline/check_stage/bench.hpp>

#include <unistd.h>
#include <cstdio>

namespace partita::inline PARTITA_ABI::detail {

/// Finds rows that the stage can be fitted on: with 0 and 1 as targets if it wants classes. False if there are none.
inline bool find_sound_rows(LawBench& bench) {
    bench.law("sound rows are fitted", [&]() -> std::string {
        Ending ending = ending_of([&] { bench.fitted = bench.fit(bench.sound); });
        if (ending.is(WrongClassCount::name) || ending.is(InvalidSetting::name)) {
            bench.recipe.labels = true;
            bench.remake();
            const Ending again = ending_of([&] { bench.fitted = bench.fit(bench.sound); });
            if (!again.threw || !again.is(ending.cause.c_str())) ending = again;
        }
        if (ending.threw) return ending.text() + bench.at_seed();
        bench.bytes = bench.fitted->bytes();
        bench.result = bench.transform(*bench.fitted, bench.sound);
        return {};
    });
    return bench.result != nullptr;
}

/// Standard output, caught while it lives.
class CaughtOutput {
  public:
    CaughtOutput() : file_(std::tmpfile()) {
        std::fflush(stdout);
        saved_ = dup(1);
        if (file_ != nullptr && saved_ >= 0) dup2(fileno(file_), 1);
    }
    CaughtOutput(const CaughtOutput&) = delete;
    CaughtOutput& operator=(const CaughtOutput&) = delete;
    ~CaughtOutput() {
        restore();
        if (file_ != nullptr) std::fclose(file_);
    }
    /// How many bytes were written; ends the catching.
    long size_bytes() {
        restore();
        if (file_ == nullptr) return 0;
        std::fseek(file_, 0, SEEK_END);
        return std::ftell(file_);
    }

  private:
    void restore() {
        if (saved_ < 0) return;
        std::fflush(stdout);
        dup2(saved_, 1);
        close(saved_);
        saved_ = -1;
    }
    std::FILE* file_;
    int saved_ = -1;
};

inline void check_fits(LawBench& bench) {
    bench.law("refused settings throw at fit", [&]() -> std::string {
        bench.only_for(bench.facts.refused > 0, bench.facts.validates ? "no settings to be refused were given"
                                                                      : "the stage refuses no settings");
        for (std::size_t i = 0; i < bench.facts.refused; ++i) {
            const Ending ending =
                ending_of([&] { bench.probe.fit_refused(bench.session, {in_chunks(*bench.sound, 1), false}, i); });
            if (!ending.is(InvalidSetting::name))
                return "settings number " + std::to_string(i + 1) + " gave " + ending.text() +
                       " instead of InvalidSetting";
        }
        return {};
    });
    bench.law("fit leaves its input unchanged", [&]() -> std::string {
        const ChunkPointer rows = bench.make(bench.recipe);
        const std::string before = bytes_of(*rows);
        static_cast<void>(bench.probe.fit(bench.session, {{rows}, false}, ProbeStage::fresh));
        return bytes_of(*rows) == before ? "" : "the bytes of a column differ after the fit" + bench.at_seed();
    });
    bench.law("transform leaves its input unchanged", [&]() -> std::string {
        const ChunkPointer rows = bench.make(bench.recipe);
        const std::string before = bytes_of(*rows);
        static_cast<void>(bench.fitted->transform_frame(rows));
        return bytes_of(*rows) == before ? "" : "the bytes of a column differ after the transform" + bench.at_seed();
    });
    bench.law("fit again gives the same bytes", [&]() -> std::string {
        return bench.fit_bytes(bench.sound) == bench.bytes
                   ? ""
                   : "the same stage on the same rows gave two models" + bench.at_seed();
    });
    bench.law("a stage that was fitted can be fitted again", [&]() -> std::string {
        RowRecipe other = bench.recipe;
        other.seed += 1;
        static_cast<void>(bench.fit(bench.make(other), false, ProbeStage::same));
        return bench.fit(bench.sound, false, ProbeStage::same)->bytes() == bench.bytes
                   ? ""
                   : "after a fit on other rows, the same object gave another model than a new one" + bench.at_seed();
    });
    bench.law("results have the declared columns",
              [&] { return malformed(bench.facts.result, *bench.result, bench.sound->rows()); });
    bench.law("nothing is printed", [&]() -> std::string {
        CaughtOutput output;
        bench.transform(*bench.fit(bench.sound), bench.sound);
        const long size_bytes = output.size_bytes();
        return size_bytes == 0 ? "" : std::to_string(size_bytes) + " bytes went to standard output";
    });
    bench.law("probabilities lie in [0, 1] and agree with predictions", [&]() -> std::string {
        std::size_t probability = bench.facts.result.size(), prediction = probability;
        for (std::size_t c = 0; c < bench.facts.result.size(); ++c) {
            if (bench.facts.result[c].name == "probability") probability = c;
            if (bench.facts.result[c].name == "prediction") prediction = c;
        }
        bench.only_for(bench.facts.predicts && probability < bench.facts.result.size(),
                       "the stage gives no probability");
        const ColumnSlice p = bench.result->column(probability).all();
        double highest_of_first = -1, lowest_of_first = 2, highest_of_others = -1, lowest_of_others = 2;
        const std::string first =
            prediction < bench.facts.result.size() ? value_bytes(bench.result->column(prediction).all(), 0) : "";
        for (std::size_t row = 0; row < p.rows; ++row) {
            for (double value : floats_of(p, row)) {
                if (!(value >= 0 && value <= 1))
                    return "row " + std::to_string(bench.result->row_id(row)) + " has the probability " + shown(p, row);
                if (prediction == bench.facts.result.size()) continue;
                const bool like_first = value_bytes(bench.result->column(prediction).all(), row) == first;
                double& highest = like_first ? highest_of_first : highest_of_others;
                double& lowest = like_first ? lowest_of_first : lowest_of_others;
                highest = std::fmax(highest, value);
                lowest = std::fmin(lowest, value);
            }
        }
        const bool apart = highest_of_first <= lowest_of_others || highest_of_others <= lowest_of_first;
        return apart ? "" : "rows of one probability have different predictions" + bench.at_seed();
    });
}

}  // namespace partita::inline PARTITA_ABI::detail
