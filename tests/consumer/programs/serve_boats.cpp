// SPDX-License-Identifier: Apache-2.0
// Loads the model that train_boats saved, and prices a trip: serve_boats MODEL
#include "boats.hpp"

#include <cstdio>

struct Request {
    pt::Category boat;
    std::optional<float> wind;
    float miles = 0, hours = 0;
};
BOOST_DESCRIBE_STRUCT(Request, (), (boat, wind, miles, hours))

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    try {
        const auto model = pt::load<PriceModel>(argv[1]);
        const double price = model.predict(Request{"yawl", 4.0f, 20, 5});
        std::printf("a yawl for 20 miles: %.2f\n", price);
        return price > 70 && price < 78 ? 0
                                        : 1;  // 12 + 50 + 3 + 9 as the trips were made, plus what missing winds take
    } catch (const pt::Error& error) {
        std::printf("%s\n", error.what());
        return 1;
    }
}
