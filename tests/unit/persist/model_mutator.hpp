// SPDX-License-Identifier: Apache-2.0
#pragma once

// Damage to model files that an attacker could do who recomputes the checksums.

#include <partita/persist/model_file.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace sample {

namespace pt = partita;

/// A small generator of random numbers (SplitMix64), seeded by what the fuzzer or the test gives.
struct Random {
    std::uint64_t state;
    std::uint64_t operator()() {
        std::uint64_t z = state += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>((*this)() % limit); }
};

inline std::uint64_t header_length(const std::string& file) {
    std::uint64_t length = 0;
    if (file.size() >= 8) std::memcpy(&length, file.data(), 8);
    return file.size() >= 8 && length <= file.size() - 8 ? length : 0;
}

/// Replaces the header, with its length.
inline void set_header(std::string& file, std::string header) {
    const std::size_t old = static_cast<std::size_t>(header_length(file));
    const std::uint64_t length = header.size();
    std::string start(8, '\0');
    std::memcpy(start.data(), &length, 8);
    file.replace(0, 8 + old, start + header);
}

/// Recomputes the checksums of the tensors, as far as they can be found, and of the header.
inline void repair(std::string& file) {
    const auto length = static_cast<std::size_t>(header_length(file));
    if (length == 0) return;
    try {
        const std::string copy = file;
        const pt::Safetensors tensors(std::as_bytes(std::span(copy)), "mutated");
        for (const pt::TensorInfo& tensor : tensors.tensors()) {
            const std::string key = tensor.name + "\\\":\\\"";
            const std::size_t at = file.find(key, 8);
            if (at == std::string::npos || at + key.size() + 16 > 8 + length) continue;
            file.replace(at + key.size(), 16, pt::checksum_text(pt::checksum(tensors.bytes(tensor))));
        }
    } catch (const pt::ModelFileError&) {
        // What is no safetensors file has no tensors to repair; the header's checksum still lets the reader go on.
    }
    const std::string_view key = "\"partita_checksum\":\"";
    const std::size_t found = file.find(key, 8);
    if (found == std::string::npos || found + key.size() + 16 > 8 + length) return;
    const std::size_t at = found + key.size();
    file.replace(at, 16,
                 pt::checksum_text(pt::detail::header_checksum(std::as_bytes(std::span(file)).first(8 + length), at)));
}

/// Overwrites one number of a tensor with one that is likely to hurt.
inline void mutate_number(std::string& file, Random& random) {
    const auto start = static_cast<std::size_t>(8 + header_length(file));
    if (file.size() <= start) return;
    static constexpr std::uint64_t numbers[] = {0,
                                                1,
                                                2,
                                                ~std::uint64_t{0},
                                                0x7FFFFFFFFFFFFFFF,
                                                0x8000000000000000,
                                                0x7FF0000000000000,
                                                0x7FF8000000000001,
                                                0x7FFFFFFF,
                                                0x80000000,
                                                0x100000000,
                                                0xFFFF};
    const std::size_t at = start + random.below((file.size() - start + 7) / 8) * 8;
    std::uint64_t number = numbers[random.below(std::size(numbers))];
    if (random.below(3) == 0) number = random();
    std::size_t count = std::size_t{1} << random.below(4);
    if (count > file.size() - at) count = file.size() - at;
    std::memcpy(file.data() + at, &number, count);
}

/// Changes the header's text: a digit, a character, a piece left out or doubled, a word for another.
inline void mutate_header(std::string& file, Random& random) {
    const auto length = static_cast<std::size_t>(header_length(file));
    std::string header = file.substr(file.size() < 8 ? file.size() : 8, length);
    if (header.empty()) return;
    const std::size_t at = random.below(header.size());
    const std::size_t piece = random.below(40);
    static constexpr std::string_view words[] = {"\"F64\"",
                                                 "\"I64\"",
                                                 "\"U8\"",
                                                 "\"BOOL\"",
                                                 "\"F32\"",
                                                 "\"I32\"",
                                                 "[]",
                                                 "[0]",
                                                 "[1]",
                                                 "[2,3]",
                                                 "[0,0]",
                                                 "{}",
                                                 ",",
                                                 "-1",
                                                 "9223372036854775807",
                                                 "18446744073709551616",
                                                 "\\n",
                                                 "\\u0041",
                                                 "\\u00e9",
                                                 "\\u20ac",
                                                 "\\ud83d\\ude00",
                                                 "\\ud83d",
                                                 "\xC3\xA9",
                                                 "true",
                                                 "false"};
    switch (random.below(7)) {
        case 0: {
            const std::size_t digit = header.find_first_of("0123456789", at);
            if (digit != std::string::npos) header[digit] = static_cast<char>('0' + random.below(10));
            break;
        }
        case 1: header[at] = static_cast<char>(random()); break;
        case 2: header.erase(at, piece); break;
        case 3: header.insert(at, header.substr(at, piece)); break;
        case 4: header.insert(at, words[random.below(std::size(words))]); break;
        case 5: {
            const std::size_t bracket = header.find('[', at);
            const std::size_t end = header.find(']', at);
            if (bracket < end && end != std::string::npos) {
                header.replace(bracket, end - bracket + 1, words[6 + random.below(5)]);
            }
            break;
        }
        default: {
            const std::size_t other = random.below(header.size());
            header.replace(at, piece, header.substr(other, piece));
        }
    }
    set_header(file, header);
}

/// Lays the tensors out anew, with one left out, doubled, of another length, type or shape: all of it a valid safetensors file.
inline void mutate_layout(std::string& file, Random& random) {
    const std::string copy = file;
    try {
        const pt::Safetensors tensors(std::as_bytes(std::span(copy)), "mutated");
        if (tensors.tensors().empty() || tensors.metadata().empty()) return;
        const std::size_t target = random.below(tensors.tensors().size());
        const std::size_t source = random.below(tensors.tensors().size());
        const std::size_t how = random.below(6);
        pt::SafetensorsWriter writer;
        for (std::size_t i = 0; i < tensors.tensors().size(); ++i) {
            const pt::TensorInfo& tensor = tensors.tensors()[i];
            std::vector<std::uint64_t> shape(tensor.shape().begin(), tensor.shape().end());
            pt::Dtype dtype = tensor.dtype;
            std::string bytes(reinterpret_cast<const char*>(tensors.bytes(tensor).data()),
                              tensors.bytes(tensor).size());
            if (i == target) {
                if (how == 0) continue;
                if (how == 1) {  // other numbers and shape
                    const pt::TensorInfo& other = tensors.tensors()[source];
                    bytes.assign(reinterpret_cast<const char*>(tensors.bytes(other).data()),
                                 tensors.bytes(other).size());
                    dtype = other.dtype;
                    shape.assign(other.shape().begin(), other.shape().end());
                }
                if (how == 2 && !shape.empty() && shape[0] > 0) {  // shorter
                    const std::size_t row = bytes.size() / static_cast<std::size_t>(shape[0]);
                    shape[0] = random.below(static_cast<std::size_t>(shape[0]));
                    bytes.resize(row * static_cast<std::size_t>(shape[0]));
                }
                if (how == 3 && !shape.empty() && shape[0] > 0) {  // longer
                    const std::size_t row = bytes.size() / static_cast<std::size_t>(shape[0]);
                    shape[0] += 1 + random.below(300);
                    bytes.resize(row * static_cast<std::size_t>(shape[0]));
                }
                if (how == 4) dtype = static_cast<pt::Dtype>(random.below(11));
                if (how == 5) shape.insert(shape.begin(), 1);
            }
            writer.add(tensor.name, dtype, shape, std::as_bytes(std::span(bytes)));
        }
        pt::Safetensors::Metadata metadata = tensors.metadata();
        if (how == 0 && random.below(2) == 0) {  // and out of the manifest
            std::string& manifest = metadata.back().second;
            const std::string entry = "\"" + tensors.tensors()[target].name + "\":\"";
            const std::size_t at = manifest.find(entry);
            if (at != std::string::npos) manifest.erase(at, entry.size() + 18);
        }
        file = writer.bytes(metadata);
    } catch (const pt::Error&) {
        // A file that was damaged before, or a type that does not fit the bytes: then it stays as it is.
    }
}

/// One to four changes of any kind, and the checksums made to fit.
inline void mutate_structure(std::string& file, Random& random) {
    for (std::size_t count = 1 + random.below(4); count > 0; --count) {
        switch (random.below(4)) {
            case 0: mutate_header(file, random); break;
            case 1: mutate_layout(file, random); break;
            default: mutate_number(file, random); break;
        }
    }
    repair(file);
}

/// One to three bytes changed, or the end cut off, as by an accident.
inline void corrupt(std::string& file, Random& random) {
    const std::string before = file;
    for (std::size_t count = 1 + random.below(3); count > 0; --count) {
        file[random.below(file.size())] = static_cast<char>(random());
    }
    if (random.below(5) == 0) file.resize(random.below(file.size()));
    if (file == before) file[random.below(file.size())] ^= 1;
}

}  // namespace sample
