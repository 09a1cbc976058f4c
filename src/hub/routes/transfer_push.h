// Transfer, upwards: the endpoints of pushes. See hub/push_store.h and hub/push_jobs.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/context.h"

namespace flair::hub {

void AddPushRoutes(Handlers& handlers);

}  // namespace flair::hub
