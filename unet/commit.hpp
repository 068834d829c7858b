// What this build was made of.
#pragma once

namespace plume::unet {

// git describe of plume's source when it was built, "-dirty" where it had changes; "unknown" outside of a checkout.
extern const char* const commit;

}  // namespace plume::unet
