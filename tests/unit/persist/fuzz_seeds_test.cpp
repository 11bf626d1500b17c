// SPDX-License-Identifier: Apache-2.0

// Fuzzing starts from files that load; when their format changes, the seeds have to change with it.

#include <catch2/catch.hpp>

#include <string>

#include "unit/persist/sample_model.hpp"

namespace fuzz_seeds_test {

namespace pt = partita;

TEST_CASE("the seeds of the fuzz target are the model files of today", "[persist]") {
    for (const int size : {0, 1, 5, 12}) {
        const std::string path = std::string(PARTITA_SOURCE_DIR) + "/tests/fuzz/seeds/model_file/model_" +
                                 std::to_string(size) + ".safetensors";
        INFO(path << " (written by model_file_fuzz with PARTITA_WRITE_SEEDS=tests/fuzz/seeds/model_file)");
        const std::string seed = pt::read_whole_file(path);
        CHECK(seed.size() > 4096);
        CHECK((seed == sample::save(sample::make(size))));
        CHECK((sample::load(seed) == sample::make(size)));
    }
}

}  // namespace fuzz_seeds_test
