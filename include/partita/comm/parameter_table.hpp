// SPDX-License-Identifier: Apache-2.0
#pragma once

// A vector that all workers share, by key: for models with so many parameters that only those which a worker touches should
// travel.

#include <partita/comm/parameter_table/backend.hpp>
#include <partita/comm/parameter_table/replicated.hpp>
#include <partita/comm/parameter_table/shard.hpp>
#include <partita/comm/parameter_table/sharded.hpp>
#include <partita/comm/session.hpp>
#include <partita/comm/update_rules.hpp>
#include <partita/core/number_text.hpp>
#include <partita/persist/checksum.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace partita::inline PARTITA_ABI {

/// The shape of a ParameterTable and how it travels. The same on all workers.
struct ParameterTableSettings {
    std::uint64_t keys = 0;  ///< keys are 0 … keys - 1, at most 2^32 of them
    std::size_t width = 1;   ///< floats per key
    /// No sum of deltas that one clock adds to an element goes beyond it, nor any part of such a sum. Deltas are rounded to
    /// multiples of 2^-50 of it (of the next power of two), so that their sum does not depend on the order. From 1e-30 to 1e30.
    double bound = 0;
    bool cache_keys = true;                             ///< a value is not pulled again while it is fresh enough
    TableExchange exchange = TableExchange::automatic;  ///< under policies without a consistency
};

/// A table of floats by key, all zero at first, that the workers of a run train together. A worker pulls the values that it needs,
/// pushes deltas, and ends its clock by `advance`; the update rule (Sum, Sgd, AdaGrad, FtrlProximal, or one of your own) is run
/// where a key lives, once per key with the exact sum of the clock's deltas. All workers make the same tables and
/// end equally many clocks; how many pulls and pushes they make is their own affair. Threads of a worker may pull and push at once,
/// as in Session::for_each; all else is for one of them, when the others are done. A table lives within the run's body: its
/// destructor tells the other workers, who wait for that at the end of theirs.
///
/// Under ParameterServer the keys are sharded: worker r of P owns a run of about keys/P, and only touched keys travel, 4 bytes
/// for a key, 4·width for its values and 8·width for its deltas. Bsp: pull gives what all workers had pushed in the clocks
/// before this one. Ssp<s>: as much, but the last s clocks may be missing in part or whole. Async: what has arrived; the rule is run
/// per worker and clock. Under other policies every worker holds all keys (the replicated twin), and results are those of Bsp.
///
/// Determinism: under Bsp, Ssp<0> and the replicated twin values are the same bits for any number of workers, if the deltas pushed
/// in a clock are the same, whoever pushes which. Under Ssp and Async they depend on time.
/// Memory per worker: (1 + the rule's states)·4·width bytes for each key that it owns, all of them in the twin; of a clock, with
/// e = 4 + 8·width, at most 4·e bytes for each key touched, and 6·e more for each thread that is merging what it pushed (a third of
/// that where the threads' keys differ); as much at an owner, for up to s + 1 clocks; 16 + 4·width bytes twice to eight
/// times for each key cached.
/// Errors: of one worker, all throw it, see `advance`; a table that came to an error gives it again at every pull, advance
/// and collect. InvalidSetting for keys that are not ascending or beyond the table, WrongWidth for spans whose sizes differ,
/// NonFiniteValue, NumericOverflow for deltas or sums beyond the bound, DeadlineExceeded, WorkerLost, CollectiveMismatch if workers
/// end different numbers of clocks, or a transport repeats or loses one.
class ParameterTable {
  public:
    /// A collective. `start`: what collect_state of another table gave, under whatever policy: this one goes on from there. The
    /// keys that are not in it are zero.
    /// Errors: InvalidSetting for settings out of range, a rule's settings, keys of `start` that are not ascending or beyond the table,
    /// or a transport without a service lane; WrongWidth or NonFiniteValue for the numbers of `start`; CollectiveMismatch if workers
    /// differ in the settings, in `start` or the rule: its type and, where it has such a member, its `settings()`.
    template <UpdateRule Rule>
    ParameterTable(Session& session, const ParameterTableSettings& settings, const Rule& rule,
                   const TableContents& start = {})
        : ParameterTable(session, settings, start, [&]() -> std::shared_ptr<const detail::AnyRule> {
              return std::make_shared<detail::RuleOf<Rule>>(rule);
          }) {}
    /// The same with a rule for whole keys.
    template <KeyRule Rule>
    ParameterTable(Session& session, const ParameterTableSettings& settings, const Rule& rule,
                   const TableContents& start = {})
        : ParameterTable(session, settings, start, [&]() -> std::shared_ptr<const detail::AnyRule> {
              return std::make_shared<detail::KeyRuleOf<Rule>>(rule, settings.width);
          }) {}
    ParameterTable(const ParameterTable&) = delete;
    ParameterTable& operator=(const ParameterTable&) = delete;
    ~ParameterTable() { backend_->close(std::uncaught_exceptions() > exceptions_); }

    std::uint64_t keys() const noexcept { return settings_.keys; }
    std::size_t width() const noexcept { return settings_.width; }
    /// How many clocks this worker has ended.
    std::uint64_t clock() const noexcept { return clock_; }

    /// The values of these keys, ascending and distinct: `width` floats for each, in their order. This worker's own deltas of the
    /// clock are not among them. Waits for the keys' owners.
    void pull(std::span<const std::uint32_t> keys, std::span<float> values) {
        check_keys(keys, values.size(), settings_.width);
        runs_->throw_if_failed();
        backend_->pull(keys, values);
    }

    /// Adds deltas to these keys, ascending and distinct, in this clock: `width` for each. Nothing is sent before `advance`.
    /// For results that do not depend on the number of workers, push what does not depend on it: per block of rows, say.
    /// Errors: of the keys or one delta, and nothing is pushed; where what was pushed before is lost as well (NumericOverflow for a sum, or
    /// memory that runs out while pushes are merged), every later call throws it again, `advance` on all workers.
    void push(std::span<const std::uint32_t> keys, std::span<const float> deltas) {
        check_keys(keys, deltas.size(), settings_.width);
        detail::Deltas run;
        run.sums.resize(deltas.size());
        bool all_hold = true;
        for (std::size_t i = 0; i < deltas.size(); ++i) {
            all_hold &= unit_.holds(static_cast<double>(deltas[i]));
            run.sums[i] = unit_.units(static_cast<double>(deltas[i]));
        }
        if (!all_hold) refuse_delta(keys, deltas);
        run.keys.assign(keys.begin(), keys.end());
        runs_->add(std::move(run));
    }

    /// Ends this worker's clock and sends what it pushed; waits for the others as far as the policy asks. With an error, which the
    /// worker brings along in place of deltas, all workers throw it (of several the one of the lowest block, then of the
    /// lowest rank) when they have ended this clock; under Async at their next call. The table is then of no further use, the
    /// session is.
    void advance(const PendingError& pending = {}) {
        detail::Deltas deltas;
        PendingError failure = pending;
        if (!failure)
            failure = attempt([&] {
                deltas = runs_->take();
                detail::check_sums(deltas, settings_.width, unit_);
            });
        backend_->advance(std::move(deltas), failure);
        ++clock_;
    }

    /// All keys that have a value other than zero, after all clocks that the workers have ended, on every worker. A collective;
    /// takes a worker's error as `advance` does. What was pushed in an unfinished clock is not in it.
    TableContents collect(const PendingError& pending = {}) { return collected(false, pending); }

    /// The same with all that the rule keeps: (1 + the rule's states)·width numbers for each key that has one other than zero. A table
    /// that starts with it gives the values that this one would.
    TableContents collect_state(const PendingError& pending = {}) { return collected(true, pending); }

  private:
    ParameterTable(Session& session, const ParameterTableSettings& settings, const TableContents& start,
                   FunctionRef<std::shared_ptr<const detail::AnyRule>()> make_rule)
        : settings_(settings), exceptions_(std::uncaught_exceptions()), rank_(session.rank()) {
        CommunicatorBase& communicator = session.communicator();
        const std::size_t size = communicator.size();
        const bool sharded = size > 1 && communicator.table_consistency().kind != TableConsistency::Kind::replicated;
        const std::uint64_t number = communicator.next_table();
        detail::TableService* service = nullptr;
        Bytes rule_settings;
        const PendingError failure = attempt([&] {
            const double deadline_seconds = session.settings().deadline_seconds;
            if (sharded) service = &detail::TableService::of(communicator, deadline_seconds);
            check_settings();
            std::shared_ptr<const detail::AnyRule> rule = make_rule();
            rule_settings = rule->settings();
            unit_ = detail::TableUnit(settings.bound);
            runs_ = std::make_unique<detail::DeltaRuns>(settings.width, unit_);
            const Share share = sharded ? share_of(static_cast<std::size_t>(settings.keys), rank_, size)
                                        : Share{0, static_cast<std::size_t>(settings.keys)};
            detail::TableShard shard(share.first, share.count, settings.width, std::move(rule), unit_);
            check_keys(start.keys, start.values.size(), shard.numbers_of_key(true));
            for (std::size_t i = 0; i < start.values.size(); ++i)
                if (!std::isfinite(start.values[i])) refuse_start(start.keys[i / shard.numbers_of_key(true)]);
            shard.assign(start.keys, start.values);
            if (!sharded) {
                backend_ = std::make_shared<detail::ReplicatedTable>(session, std::move(shard), settings.exchange);
                return;
            }
            auto table = std::make_shared<detail::ShardedTable>(communicator, number, std::move(shard), settings.keys,
                                                                settings.cache_keys, deadline_seconds);
            backend_ = table;
            service->add(number, table);
        });
        // Nobody goes on before everybody can be asked.
        try {
            agree_on_settings(communicator, rule_settings, start, failure);
        } catch (...) {
            if (service != nullptr) service->discard(number);
            throw;
        }
    }

    TableContents collected(bool states, const PendingError& pending) {
        return backend_->collect(states, pending ? pending : attempt([&] { runs_->throw_if_failed(); }));
    }

    void check_settings() const {
        const auto refuse = [](const char* setting, const std::string& value, const char* remedy) {
            throw InvalidSetting(std::string(setting) + " of a parameter table is " + value + "; " + remedy,
                                 Place{.setting = setting});
        };
        if (settings_.keys == 0 || settings_.keys > std::uint64_t{1} << 32)
            refuse("keys", std::to_string(settings_.keys), "give a number of keys from 1 to 2^32");
        if (settings_.width == 0 || settings_.width > 1'000'000)
            refuse("width", std::to_string(settings_.width), "give a number of floats per key from 1 to 1000000");
        if (!(settings_.bound >= 1e-30 && settings_.bound <= 1e30))
            refuse("bound", detail::number_text(settings_.bound),
                   "give a number from 1e-30 to 1e30 that the sum of a clock's deltas of one key does not exceed");
    }

    void agree_on_settings(CommunicatorBase& communicator, std::span<const std::byte> rule, const TableContents& start,
                           const PendingError& failure) const {
        Bytes mine;
        ByteWriter writer(mine);
        writer.write(settings_.keys);
        writer.write(static_cast<std::uint64_t>(settings_.width));
        writer.write(settings_.bound);
        writer.write(settings_.exchange);
        writer.write(checksum(std::as_bytes(std::span(start.keys))));
        writer.write(checksum(std::as_bytes(std::span(start.values))));
        writer.write_raw(rule.data(), rule.size());
        const std::vector<Bytes> everyones = communicator.all_gather(mine, failure);
        for (std::size_t other = 0; other < everyones.size(); ++other)
            if (everyones[other] != everyones[0])
                throw CollectiveMismatch("process 0 and process " + std::to_string(other) +
                                             " make a parameter table of different settings, with different rules, or "
                                             "from different numbers; give all workers the same",
                                         Place{.process = static_cast<std::int64_t>(other)});
    }

    template <class Number>
    Place place(const char* setting, Number element) const {
        return {.element = static_cast<std::int64_t>(element),
                .setting = setting,
                .process = static_cast<std::int64_t>(rank_)};
    }

    void check_keys(std::span<const std::uint32_t> keys, std::size_t numbers, std::size_t each) const {
        if (numbers != keys.size() * each)
            throw WrongWidth("a parameter table of width " + std::to_string(settings_.width) + " was given " +
                                 std::to_string(keys.size()) + " keys and " + std::to_string(numbers) +
                                 " numbers; give " + std::to_string(each) + " for each key",
                             place("width", -1));
        bool ascending = true;
        for (std::size_t i = 1; i < keys.size(); ++i) ascending &= keys[i - 1] < keys[i];
        if (!ascending) {
            std::size_t i = 1;
            while (keys[i - 1] < keys[i]) ++i;
            throw InvalidSetting("keys of a parameter table are not ascending: key " + std::to_string(keys[i]) +
                                     " follows " + std::to_string(keys[i - 1]) + "; sort them and give each once",
                                 place("keys", i));
        }
        if (!keys.empty() && keys.back() >= settings_.keys)
            throw InvalidSetting("key " + std::to_string(keys.back()) + " is beyond a parameter table of " +
                                     std::to_string(settings_.keys) +
                                     " keys, which are counted from 0; make the "
                                     "table larger or look where the key comes from",
                                 place("keys", keys.size() - 1));
    }

    [[noreturn]] void refuse_start(std::uint32_t key) const {
        throw NonFiniteValue("key " + std::to_string(key) +
                                 " of a parameter table is to start with a number that is not finite; give what "
                                 "collect_state gave",
                             place("start", key));
    }
    [[noreturn]] void refuse_delta(std::span<const std::uint32_t> keys, std::span<const float> deltas) const {
        std::size_t i = 0;
        while (unit_.holds(static_cast<double>(deltas[i]))) ++i;
        const std::uint32_t key = keys[i / settings_.width];
        const float delta = deltas[i];
        const Place where = place("bound", key);
        if (!std::isfinite(delta))
            throw NonFiniteValue("the delta of key " + std::to_string(key) + " of a parameter table is " +
                                     detail::number_text(static_cast<double>(delta)) +
                                     "; look for overflow in what computes it",
                                 where);
        throw NumericOverflow("the delta " + detail::number_text(static_cast<double>(delta)) + " of key " +
                                  std::to_string(key) + " is beyond the parameter table's bound " +
                                  detail::number_text(settings_.bound) + "; raise the bound, or push smaller deltas",
                              where);
    }

    ParameterTableSettings settings_;
    int exceptions_;  // under way when the table was made
    std::size_t rank_;
    detail::TableUnit unit_;
    std::unique_ptr<detail::DeltaRuns> runs_;  // of this clock
    std::uint64_t clock_ = 0;
    std::shared_ptr<detail::TableBackend> backend_;
};

}  // namespace partita::inline PARTITA_ABI
