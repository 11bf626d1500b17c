// SPDX-License-Identifier: Apache-2.0

// Any bytes as a model file: loading gives a model, which can be saved and loaded again, or a ModelFileError.
// Each input is tried as it is and, where its checksums are wrong, with these repaired; the mutator knows the structure.
// With PARTITA_WRITE_SEEDS set to a folder the program writes the seeds there and ends.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "fuzz/sanitizer_options.hpp"
#include "unit/persist/model_mutator.hpp"
#include "unit/persist/sample_model.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

namespace pt = partita;

/// Whether checksums were all that was wrong, as far as the reader looked.
bool try_to_load(const std::string& file, bool thoroughly) {
    try {
        const sample::Model model = sample::load(file);
        if (!thoroughly) return false;
        // A model that was accepted is one that can be saved, and whose file gives the same bytes once more.
        const std::string again = sample::save(model);
        if (sample::save(sample::load(again)) != again) std::abort();
        return false;
    } catch (const pt::ModelFileCorrupt&) {
        return true;
    } catch (const pt::ModelFileError&) {
        return false;
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

/// Reads any JSON and writes it again.
void copy_value(pt::JsonReader& from, pt::JsonWriter& to) {
    switch (from.peek()) {
        case pt::JsonKind::object: {
            std::string key;
            from.begin_object();
            to.begin_object();
            while (from.next_key(key)) {
                to.key(key);
                copy_value(from, to);
            }
            to.end_object();
            break;
        }
        case pt::JsonKind::array:
            from.begin_array();
            to.begin_array();
            while (from.next_item()) copy_value(from, to);
            to.end_array();
            break;
        case pt::JsonKind::string: to.string(from.string()); break;
        case pt::JsonKind::boolean: to.boolean(from.boolean()); break;
        case pt::JsonKind::integer: to.integer(from.integer()); break;
    }
}
std::string copy_of(std::string_view text) {
    pt::JsonReader reader(text, "fuzz", "text");
    pt::JsonWriter writer;
    copy_value(reader, writer);
    reader.end();
    return writer.text();
}
void try_to_copy(std::string_view text) {
    try {
        const std::string copy = copy_of(text);
        if (copy_of(copy) != copy) std::abort();
    } catch (const pt::ModelFileMalformed&) {
        return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const char* folder = std::getenv("PARTITA_WRITE_SEEDS");
    if (folder == nullptr) return 0;
    for (const int size : {0, 1, 5, 12}) {
        pt::write_file_atomically(std::string(folder) + "/model_" + std::to_string(size) + ".safetensors",
                                  sample::save(sample::make(size)));
    }
    std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string file(reinterpret_cast<const char*>(data), size);
    // What costs most is done for a part of the inputs, chosen by their bytes.
    const std::uint64_t choice = pt::checksum(std::as_bytes(std::span(file)));
    if (choice % 4 == 0) try_to_parse(file);
    if (choice % 4 == 1)
        try_to_copy(std::string_view(file).substr(std::min<std::size_t>(size, 8), sample::header_length(file)));
    if (!try_to_load(file, choice % 8 == 0)) return 0;
    sample::repair(file);
    try_to_load(file, choice % 8 == 0);
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
