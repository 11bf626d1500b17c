// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which laws are shown to catch a broken stage: every law of the report must stand here, and every test of a broken stage
// looks for one that does.

#include <partita/pipeline/check_stage.hpp>

#include <catch2/catch.hpp>

namespace broken {

namespace pt = partita;

inline constexpr std::string_view laws_with_a_broken_stage[] = {
    // check_stage_test.cpp
    "sound rows are fitted",
    "refused settings throw at fit",
    "fit leaves its input unchanged",
    "transform leaves its input unchanged",
    "fit again gives the same bytes",
    "a stage that was fitted can be fitted again",
    "nothing is printed",
    "a subset of the rows is transformed as in the whole",
    "rows in another order give the same values",
    "a frame is transformed as the dataset",
    "a single row is transformed as in the dataset",
    "transform from eight threads at once gives the same values",
    "in a longer pipeline the stage does what it does alone",
    "vectors of another width are refused after the fit",
    "unit weights are no weights",
    "a row of weight 0 is absent",
    "a row of weight k is k rows",
    "no rows, or none of positive weight, give EmptyDataset",
    "NaN in a fit is refused with its row, or harms no other row",
    "infinity in a fit is refused with its row, or harms no other row",
    "NaN in a transform is refused with its row, or changes no other row",
    "infinity in a transform is refused with its row, or changes no other row",
    "what the fit refuses, transform refuses",
    "huge, tiny and negative zero values are refused, or harm no other row",
    "one row is fitted, or refused by a typed error",
    "constant columns are fitted, or refused by a typed error",
    "chunks do not matter",
    "a loaded model saves to the same bytes",
    "a loaded model transforms as the fitted one",
    "damaged files are refused, forged ones too or they give safe models",
    // check_stage_workers_test.cpp
    "threads do not matter",
    "workers of a tree do not matter",
    "workers of a ring do not matter",
    "workers of a parameter server do not matter",
    "how the rows are dealt to workers does not matter",
    "an error of one worker is thrown on all",
    // check_stage_results_test.cpp
    "results have the declared columns",
    "probabilities lie in [0, 1] and agree with predictions",
    "another pipeline refuses the file",
};

/// Whether the law caught the stage; the report is shown if not.
inline void catches(const pt::StageReport& report, std::string_view law) {
    INFO(law << "\n" << report.text());
    CHECK(std::find(std::begin(laws_with_a_broken_stage), std::end(laws_with_a_broken_stage), law) !=
          std::end(laws_with_a_broken_stage));
    CHECK(report.failed(law));
    CHECK_FALSE(report.passed());
}

inline void is_sound(const pt::StageReport& report) {
    INFO(report.text());
    CHECK(report.passed());
}

}  // namespace broken
