/* randomipc4: the random program of one seed. */
#include "randomipc.h"

EACH("random/ipc-4", program, 4, 1000, 0)
