// SPDX-License-Identifier: Apache-2.0
#include "rides.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstring>

namespace model_file_test {

namespace pt = partita;
using namespace rides;

namespace {

template <class Loaded>
std::string cause_of(std::string bytes) {
    try {
        static_cast<void>(pt::from_bytes<Loaded>(std::move(bytes), "rides.safetensors"));
        return "none";
    } catch (const pt::ModelFileError& error) {
        CHECK(std::string(error.what()).find("rides.safetensors") != std::string::npos);
        return error.cause();
    }
}

/// The file with a text in its header exchanged for one of the same length, its checksum left as it was.
std::string exchanged(std::string bytes, const std::string& from, const std::string& to) {
    const std::size_t at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    return bytes.replace(at, from.size(), to);
}

[[maybe_unused]] auto other_column() {
    return pt::Impute<"tip">{} | pt::map<"km", "root">([](float km) { return std::sqrt(km); }) |
           pt::OneHotEncode<"town", pt::Unseen::all_zero>{} |
           pt::Assemble<"km", "root", "tip", "night", "town", "features">{} | pt::StandardScale<"features">{} |
           pt::LinearRegression<"features", "fare">{};
}
[[maybe_unused]] auto fewer_stages() {
    return pt::Impute<"tip">{} | pt::Assemble<"km", "tip", "features">{} | pt::LinearRegression<"features", "fare">{};
}

}  // namespace

TEST_CASE("a loaded model is the saved one, byte for byte", "[pipeline][model_file]") {
    const Model model = fit();
    const std::string bytes = pt::to_bytes(model);
    const auto loaded = pt::from_bytes<Model>(bytes);
    CHECK((pt::to_bytes(loaded) == bytes));
    CHECK(loaded.rows() == model.rows());
    std::size_t same = 0;
    for (const Ride& ride : make()) same += loaded.predict(request(ride)) == model.predict(request(ride));
    CHECK(same == count);
    CHECK(loaded.coefficients()[5].name == "town=Ede");
    CHECK((pt::to_bytes(fit()) == bytes));
}

TEST_CASE("save and load go through a file, by worker 0 and for all", "[pipeline][model_file]") {
    const std::string path = "pipeline_model_file_test.safetensors";
    const std::string bytes = pt::to_bytes(fit());
    for (const std::size_t workers : {1u, 3u}) {
        std::remove(path.c_str());
        pt::run<pt::RingAllReduce<>>(quiet(1, workers), [&](pt::Session& session) {
            const Model model = pipeline().fit(pt::as_train(pt::dataset(session, make())));
            pt::save(session, model, path);
        });
        CHECK((pt::read_whole_file(path) == bytes));
        CHECK((pt::to_bytes(pt::load<Model>(path)) == bytes));
    }
    std::remove(path.c_str());
    CHECK_THROWS_AS(pt::load<Model>(path), pt::FileError);

    std::vector<int> refused(3);
    pt::run<pt::TreeAggregate<>>(quiet(1, 3), [&](pt::Session& session) {
        const Model model = pipeline().fit(pt::as_train(pt::dataset(session, make(100))));
        try {
            pt::save(session, model, "no-such-folder/model.safetensors");
        } catch (const pt::FileError&) {
            refused[session.rank()] = 1;
        }
    });
    CHECK(refused == std::vector<int>{1, 1, 1});
}

TEST_CASE("a file that is cut, changed, of another pipeline or of another version is refused by its own error",
          "[pipeline][model_file]") {
    const std::string bytes = pt::to_bytes(fit(500));
    CHECK(cause_of<Model>(bytes) == "none");
    for (const std::size_t kept :
         {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
        INFO(kept << " bytes of " << bytes.size());
        CHECK(cause_of<Model>(bytes.substr(0, kept)) == "model_file_truncated");
    }
    CHECK(cause_of<Model>(bytes + '\0') != "none");

    std::string changed = bytes;
    changed[bytes.size() - 3] = static_cast<char>(changed[bytes.size() - 3] ^ 16);  // in a tensor
    CHECK(cause_of<Model>(changed) == "model_file_corrupt");
    CHECK(cause_of<Model>(exchanged(bytes, "StandardScale", "StandardScalf")) == "model_file_corrupt");
    CHECK(cause_of<Model>(exchanged(bytes, "\"partita_format\":\"1\"", "\"partita_format\":\"2\"")) ==
          "model_file_version");
    CHECK(cause_of<Model>("not a model, but long enough to be one") != "none");

    using Other = pt::Fitted<decltype(other_column()), Ride>;
    using Fewer = pt::Fitted<decltype(fewer_stages()), Ride>;
    CHECK(cause_of<Other>(bytes) == "model_file_mismatch");
    CHECK(cause_of<Fewer>(bytes) == "model_file_mismatch");
    try {
        static_cast<void>(pt::from_bytes<Other>(bytes));
    } catch (const pt::ModelFileMismatch& error) {  // says what differs
        CHECK(std::string(error.what()).find("root_km") != std::string::npos);
    }
}

TEST_CASE("a model file is the same for all threads, workers, policies and chunks", "[pipeline][model_file]") {
    const std::string bytes = pt::to_bytes(fit());
    const auto check = [&](pt::Session& session, std::size_t chunk_blocks) {
        const auto data = pt::dataset(session, make()).repartition(chunk_blocks);
        const Model model = pipeline().fit(pt::as_train(data));
        return pt::to_bytes(model) == bytes;
    };
    for (const std::size_t chunk_blocks : {1u, 2u, 16u})
        for (const std::size_t threads : {1u, 2u, 5u}) {
            pt::LocalSession session(quiet(threads));
            CHECK(check(session, chunk_blocks));
        }
    for (const std::size_t workers : {2u, 3u, 4u}) {  // with four, one worker has no rows
        std::vector<int> same(3 * workers);
        pt::run<pt::TreeAggregate<>>(quiet(1, workers),
                                     [&](pt::Session& session) { same[session.rank()] = check(session, 1); });
        pt::run<pt::RingAllReduce<>>(quiet(2, workers),
                                     [&](pt::Session& session) { same[workers + session.rank()] = check(session, 4); });
        pt::run<pt::ParameterServer<>>(
            quiet(1, workers), [&](pt::Session& session) { same[2 * workers + session.rank()] = check(session, 1); });
        CHECK(same == std::vector<int>(3 * workers, 1));
    }
}

}  // namespace model_file_test
