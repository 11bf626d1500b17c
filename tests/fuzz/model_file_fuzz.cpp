// SPDX-License-Identifier: Apache-2.0

// Any bytes as a model file: loading gives a model, which can be saved and loaded again, or a ModelFileError.
// Each input is tried as it is and with its checksums repaired; the mutator knows the structure.
// With PARTITA_WRITE_SEEDS set to a folder the program writes the seeds there and ends.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "unit/persist/model_mutator.hpp"
#include "unit/persist/sample_model.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

namespace pt = partita;

void try_to_load(const std::string& file) {
    try {
        const std::string again = sample::save(sample::load(file));
        // A model that was accepted is one that can be saved, and whose file gives the same bytes once more.
        if (sample::save(sample::load(again)) != again) std::abort();
    } catch (const pt::ModelFileError&) {
        return;
    }
}

/// Every safetensors file, whosever it is.
void try_to_parse(const std::string& file) {
    try {
        const pt::Safetensors tensors(std::as_bytes(std::span(file)), "fuzz");
        std::size_t total = 0;
        for (const pt::TensorInfo& tensor : tensors.tensors()) {
            if (tensors.find(tensor.name) != &tensor) std::abort();
            total += tensors.bytes(tensor).size();
        }
        if (8 + sample::header_length(file) + total != file.size()) std::abort();
    } catch (const pt::ModelFileError&) {
        return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const char* folder = std::getenv("PARTITA_WRITE_SEEDS");
    if (folder == nullptr) return 0;
    for (const int size : {0, 1, 5, 40}) {
        pt::write_file_atomically(std::string(folder) + "/model_" + std::to_string(size) + ".safetensors",
                                  sample::save(sample::make(size)));
    }
    std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string file(reinterpret_cast<const char*>(data), size);
    try_to_parse(file);
    try_to_load(file);
    sample::repair(file);
    try_to_load(file);
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    sample::Random random{seed};
    if (random.below(4) == 0) return LLVMFuzzerMutate(data, size, max_size);
    std::string file(reinterpret_cast<const char*>(data), size);
    sample::mutate_structure(file, random);
    const std::size_t length = std::min(file.size(), max_size);
    std::memcpy(data, file.data(), length);
    return length;
}
