// The campaign's program over libpq, in a server that is PGHOST's: campaign NAME [--seconds N]
// [--seed N] [--rounds N].
#include "campaign.hpp"

int main(int count, char **words) {
    using namespace entitle::campaign;
    return run_parts(count, words,
                     {{"pairs", run_pairs},
                      {"histories", run_histories},
                      {"cancels", run_cancels},
                      {"pooled", run_pooled},
                      {"crashes", run_crashes},
                      {"promotions", run_promotions},
                      {"faults", run_faults},
                      {"sequences", run_sequences},
                      {"interleavings", run_interleavings},
                      {"adoption", run_adoption},
                      {"reports", run_reports}});
}
