// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files in which an iterative fit keeps its state: numbered model files of one name in one folder, of which the newest whole one
// counts and the last two are kept.

#include <partita/core/error.hpp>
#include <partita/exec/function_ref.hpp>
#include <partita/persist/model_file.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <unistd.h>

namespace partita::inline PARTITA_ABI {

/// The checkpoints of one fit in one folder: files `LEARNER-IDENTITY-NUMBER.safetensors`, where IDENTITY is the checksum of a text
/// that says everything which decides what the fit does, and NUMBER counts iterations.
///
/// Each file is a model file of a single stage `LEARNER.checkpoint`, whose fingerprint is that text: a file is only taken up by the
/// fit that would have written it. The writer is one process; it opens the folder, asks for the newest and writes the next ones.
/// Errors: FileError where the folder is missing or refuses files, and where the disk does.
class CheckpointFiles {
  public:
    static constexpr std::size_t kept = 2;  ///< so many files are kept: the newest, and one more should that be damaged

    /// Looks at the folder, and removes what writers that were killed left of their last file.
    [[gnu::cold]] CheckpointFiles(std::string folder, std::string_view learner, std::string identity)
        : folder_(std::move(folder)), learner_(learner), identity_(std::move(identity)) {
        for (const char c : learner.substr(0, 64)) {
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            prefix_ += plain ? c : '_';
        }
        prefix_ += "-" + checksum_text(checksum(std::as_bytes(std::span(identity_)))) + "-";
        find_files();
    }

    /// The numbers of the files there are, in ascending order.
    std::span<const std::int64_t> numbers() const { return numbers_; }
    [[gnu::cold]] std::string path(std::int64_t number) const {
        const std::string digits = std::to_string(number);
        return folder_ + "/" + prefix_ + std::string(number_digits - std::min(number_digits, digits.size()), '0') +
               digits + std::string(ending);
    }

    /// The bytes of the newest file that `accept`, which reads the state, takes without a ModelFileError; empty if there is none.
    /// Newer ones, which are damaged, are removed; those that cannot be read are passed over.
    [[gnu::cold]] std::string newest(FunctionRef<void(ModelReader&)> accept) {
        for (; !numbers_.empty(); numbers_.pop_back()) {
            const std::string file = path(numbers_.back());
            try {
                std::string bytes = read_whole_file(file);
                read(bytes, file, learner_, identity_, numbers_.back(), accept);
                return bytes;
            } catch (const ModelFileError&) {
                ::unlink(file.c_str());
            } catch (const FileError&) {  // also where another program of the same fit has removed it
            }
        }
        return {};
    }

    /// Reads by `accept` the state that `bytes`, those of file `number`, hold. Errors: the ModelFileError family.
    [[gnu::cold]] static void read(std::string bytes, const std::string& source, std::string_view learner,
                                   std::string_view identity, std::optional<std::int64_t> number,
                                   FunctionRef<void(ModelReader&)> accept) {
        ModelReader reader(std::move(bytes), source);
        const std::string stage = stage_of(learner);
        reader.expect(std::span(&stage, 1), identity);
        reader.enter_stage(stage, 1);
        const auto found = reader.scalar<std::int64_t>("number");
        if (number && found != *number)
            reader.invalid("it is number " + std::to_string(found) + " under another's name");
        {
            const NameScope scope = reader.scope("state");
            accept(reader);
        }
        reader.finish();
    }

    /// Writes the file `number`, whose state `save` adds to it, all or nothing, and then removes all but the newest two.
    [[gnu::cold]] void write(std::int64_t number, FunctionRef<void(ModelWriter&)> save) {
        ModelWriter writer(provenance_here(0, 0), identity_);
        writer.begin_stage(stage_of(learner_), 1);
        writer.scalar("number", number);
        {
            const NameScope scope = writer.scope("state");
            save(writer);
        }
        writer.write(path(number));
        insert(number);
        for (; numbers_.size() > kept; numbers_.erase(numbers_.begin())) ::unlink(path(numbers_.front()).c_str());
    }

  private:
    static constexpr std::size_t number_digits = 10;
    static constexpr std::string_view ending = ".safetensors";

    void insert(std::int64_t number) {
        const auto at = std::lower_bound(numbers_.begin(), numbers_.end(), number);
        if (at == numbers_.end() || *at != number) numbers_.insert(at, number);
    }
    static std::string stage_of(std::string_view learner) { return std::string(learner) + ".checkpoint"; }

    [[noreturn, gnu::cold]] void refuse_folder(int error_number) const {
        char buffer[256] = "unknown error";
        throw FileError("cannot keep checkpoints in the folder " + folder_ + ": " +
                            detail::error_text(::strerror_r(error_number, buffer, sizeof buffer), buffer) + " (errno " +
                            std::to_string(error_number) + "); make the folder, or name another",
                        Place{.file = folder_, .setting = "checkpoint.folder"});
    }

    [[gnu::cold]] void find_files() {
        struct Close {
            void operator()(DIR* directory) const { ::closedir(directory); }
        };
        const std::unique_ptr<DIR, Close> directory(::opendir(folder_.c_str()));
        if (!directory) refuse_folder(errno);
        if (::access(folder_.c_str(), W_OK | X_OK) != 0) refuse_folder(errno);
        while (const dirent* entry = ::readdir(directory.get())) {
            std::string_view name(entry->d_name);
            if (!name.starts_with(prefix_)) continue;
            name.remove_prefix(prefix_.size());
            std::int64_t number = -1;
            const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
            if (error != std::errc{} || number < 0) continue;
            if (path(number) == folder_ + "/" + entry->d_name) insert(number);
        }
        detail::remove_abandoned(folder_, prefix_);
    }

    std::string folder_, learner_, identity_, prefix_;
    std::vector<std::int64_t> numbers_;
};

}  // namespace partita::inline PARTITA_ABI
