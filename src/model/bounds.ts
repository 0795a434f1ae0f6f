// Numbers that the command line and the configuration hold to alike.

/** Most connections and templates that the table holds. */
export const connections = { default: 1_048_576, smallest: 1024, largest: 64 * 1024 * 1024 };

/** The gateway bits of the mark: eight in a row. */
export const defaultMarkMask = 0xff000000;

export const isMarkMask = (mask: number): boolean => {
  const lowest = (mask & -mask) >>> 0;
  return lowest > 0 && mask / lowest === 0xff;
};

/** IPVS's longest timeout: 31 days in seconds. */
export const longestTimeout = 31 * 24 * 3600;
/** Seconds; IPVS's. */
export const defaultTimeouts = { tcp: 900, tcpFin: 120, udp: 300 };

/** Sizes of the datapath's arrays. services: each tier is one. 253: gateway ids fill one byte, 0, 254 and 255 are taken. */
export const limits = { services: 4096, gatewaysOfService: 64, nextHops: 253 } as const;

/** Weights and thresholds: ipvsadm's. */
export const largestCount = 2 ** 31 - 1;
