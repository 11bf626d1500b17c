// SPDX-License-Identifier: Apache-2.0
#pragma once

// What check_stage reports: one line a law, to be read by a person or asked by a test of any framework.

#include <partita/core/version.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// How a law came out for a stage.
enum class LawOutcome : std::uint8_t {
    passed,
    failed,
    not_applicable,    ///< the stage has nothing that the law is about; the detail says why
    failed_as_listed,  ///< failed, as the caller said it would; the detail holds the caller's reason and the finding
};

/// One law and how it came out.
struct LawResult {
    std::string name;
    LawOutcome outcome = LawOutcome::passed;
    std::string detail{};  ///< for whatever did not pass: a sentence with the facts
};

/// A law that a stage is known to break, and why that is accepted. It counts as a failure again once the stage keeps it.
struct ListedFailure {
    std::string law;
    std::string reason;
};

/// What check_stage found.
class StageReport {
  public:
    StageReport() = default;
    StageReport(std::string title, std::uint64_t seed) : title_(std::move(title)), seed_(seed) {}

    /// Whether no law failed that was not listed.
    bool passed() const { return count(LawOutcome::failed) == 0 && !results_.empty(); }
    const std::vector<LawResult>& results() const { return results_; }
    std::size_t count(LawOutcome outcome) const {
        return static_cast<std::size_t>(std::count_if(
            results_.begin(), results_.end(), [&](const LawResult& result) { return result.outcome == outcome; }));
    }
    /// Whether the law of that name failed.
    bool failed(std::string_view law) const {
        return std::any_of(results_.begin(), results_.end(), [&](const LawResult& result) {
            return result.name == law && result.outcome == LawOutcome::failed;
        });
    }

    /// The report as a person reads it: a line a law, and a summary.
    std::string text() const {
        std::string text = title_ + "\n";
        for (const LawResult& result : results_) {
            if (result.outcome == LawOutcome::not_applicable) continue;
            static constexpr std::string_view words[] = {"  passed  ", "  FAILED  ", "", "  listed  "};
            text.append(words[static_cast<std::size_t>(result.outcome)]).append(result.name);
            if (!result.detail.empty()) text.append(": ").append(result.detail);
            text += "\n";
        }
        add_not_applicable(text);
        text += "  " + std::to_string(count(LawOutcome::passed)) + " passed, " +
                std::to_string(count(LawOutcome::failed)) + " failed, " +
                std::to_string(count(LawOutcome::failed_as_listed)) + " failed as listed, " +
                std::to_string(count(LawOutcome::not_applicable)) + " not applicable (seed " + std::to_string(seed_) +
                ")\n";
        return text;
    }

    void add(LawResult result) { results_.push_back(std::move(result)); }

  private:
    /// A line a reason: a stage that learns nothing has many laws that say nothing about it.
    void add_not_applicable(std::string& text) const {
        std::vector<std::pair<std::string_view, std::vector<std::string_view>>> reasons;
        for (const LawResult& result : results_) {
            if (result.outcome != LawOutcome::not_applicable) continue;
            auto same = std::find_if(reasons.begin(), reasons.end(),
                                     [&](const auto& reason) { return reason.first == result.detail; });
            if (same == reasons.end()) same = reasons.insert(same, {result.detail, {}});
            same->second.push_back(result.name);
        }
        for (const auto& [reason, laws] : reasons) {
            text += "  -       ";
            if (laws.size() == 1) {
                text.append(laws.front());
            } else {
                text += std::to_string(laws.size()) + " laws";
            }
            text.append(": ").append(reason).append("\n");
        }
    }

    std::string title_;
    std::uint64_t seed_ = 0;
    std::vector<LawResult> results_;
};

}  // namespace partita::inline PARTITA_ABI
