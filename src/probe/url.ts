// URLs of probes.

/** Name or address, without the brackets that a URL has around IPv6's. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');
