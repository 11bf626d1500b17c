// SPDX-License-Identifier: Apache-2.0
#pragma once

// Laws about model files: what was saved comes back, and whatever else a file holds is refused or gives a model that is safe.

#include <partita/pipeline/check_stage/bench.hpp>

namespace partita::inline PARTITA_ABI::detail {

inline std::uint64_t header_size_bytes(const std::string& file) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof length);
    return 8 + length;
}

/// Makes the checksums fit what the file holds now, as somebody would who means harm.
inline void repair_checksums(std::string& file) {
    const auto length = static_cast<std::size_t>(header_size_bytes(file));
    const std::string copy = file;
    const Safetensors tensors(std::as_bytes(std::span(copy)), "the changed model");
    for (const TensorInfo& tensor : tensors.tensors()) {
        const std::string key = tensor.name + "\\\":\\\"";
        const std::size_t at = file.find(key, 8);
        if (at != std::string::npos && at + key.size() + checksum_text_length <= length)
            file.replace(at + key.size(), checksum_text_length, checksum_text(checksum(tensors.bytes(tensor))));
    }
    const std::string key = "\"" + std::string(model_key_checksum) + "\":\"";
    const std::size_t at = file.find(key, 8) + key.size();
    file.replace(at, checksum_text_length,
                 checksum_text(header_checksum(std::as_bytes(std::span(file)).first(length), at)));
}

inline void check_files(LawBench& bench) {
    const std::uint32_t stream = stream_id("corruption");
    const auto draw = [&](std::uint64_t index, std::uint64_t bound) {
        return uniform_index(bench.settings.seed, stream, index, bound);
    };
    bench.law("a loaded model saves to the same bytes", [&]() -> std::string {
        return bench.probe.load(bench.bytes)->bytes() == bench.bytes
                   ? ""
                   : "save, load, save gives other bytes" + bench.at_seed();
    });
    bench.law("a loaded model transforms as the fitted one", [&] {
        return bench.compare(*bench.result, *bench.transform(*bench.probe.load(bench.bytes), bench.sound));
    });
    bench.law("damaged files are refused, forged ones too or they give safe models", [&]() -> std::string {
        for (std::uint64_t i = 0; i < 64; ++i) {
            std::string file = bench.bytes;
            if (i % 4 == 3) {
                file.resize(draw(4 * i, file.size()));
            } else {
                file[draw(4 * i + 1, file.size())] ^= static_cast<char>(1U << draw(4 * i + 2, 8));
            }
            const Ending ending = ending_of([&] { static_cast<void>(bench.probe.load(file)); });
            if (!ending.typed || ending.cause.rfind("model_file", 0) != 0)
                return "damage number " + std::to_string(i) + " gave " + ending.text() + bench.at_seed();
        }
        const auto start = static_cast<std::size_t>(header_size_bytes(bench.bytes));
        if (start == bench.bytes.size()) return {};  // the model holds no numbers to forge
        static constexpr std::uint64_t hurtful[] = {0,
                                                    1,
                                                    2,
                                                    ~std::uint64_t{0},
                                                    0x7FFFFFFFFFFFFFFF,
                                                    0x8000000000000000,
                                                    0x7FF0000000000000,
                                                    0x7FF8000000000001,
                                                    0x7FFFFFFF,
                                                    0x80000000,
                                                    0x4059000000000000};
        const std::uint32_t few[] = {0, 1, 2, 3, 4, 5, 6, 7};
        const ChunkPointer rows = keep_rows(*bench.sound, few);
        for (std::uint64_t i = 0; i < 256; ++i) {
            std::string file = bench.bytes;
            const std::size_t at = start + draw(4 * i, (file.size() - start + 7) / 8) * 8;
            const std::uint64_t number = hurtful[draw(4 * i + 1, std::size(hurtful))];
            std::memcpy(file.data() + at, &number,
                        std::min<std::size_t>(std::size_t{1} << draw(4 * i + 2, 4), file.size() - at));
            repair_checksums(file);
            FittedPointer model;
            const Ending at_load = ending_of([&] { model = bench.probe.load(file); });
            if (at_load.threw && (!at_load.typed || at_load.cause.rfind("model_file", 0) != 0))
                return "forgery number " + std::to_string(i) + " gave " + at_load.text() + bench.at_seed();
            if (at_load.threw) continue;
            const Ending after = ending_of([&] { bench.transform(*model, rows); });
            if (after.threw && !after.typed)
                return "the model of forgery number " + std::to_string(i) + " gave " + after.text() + bench.at_seed();
        }
        return {};
    });
    bench.law("another pipeline refuses the file", [&]() -> std::string {
        const Ending ending = ending_of([&] { bench.probe.load_as_another(bench.bytes); });
        return ending.is(ModelFileMismatch::name)
                   ? ""
                   : "loading the file into another stage gave " + ending.text() + " instead of ModelFileMismatch";
    });
}

}  // namespace partita::inline PARTITA_ABI::detail
