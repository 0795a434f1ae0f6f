// The number of nftables' newest transaction, whoever made it, iptables-nft too: by a question over netlink,
// which costs some microseconds. `nft monitor` would have to read and print all that changed.

import { formatMessage, openNetfilter } from './ctnetlink.ts';
import * as libbpf from './libbpf.ts';

const NFT_MSG_NEWGEN = (10 << 8) | 15;
const NFT_MSG_GETGEN = (10 << 8) | 16;
/** Behind struct nlmsghdr, struct nfgenmsg and the header of the first attribute, NFTA_GEN_ID. */
const idOffset = 16 + 4 + 4;

export class NftGeneration {
  readonly #fd = openNetfilter();
  readonly #answer = Buffer.alloc(8192);

  /** 0 where the kernel has no nftables. */
  read(): number {
    const question = formatMessage(NFT_MSG_GETGEN, 0, []);
    if (libbpf.send(this.#fd, question, question.length, 0) < 0) return 0;
    const length = libbpf.receive(this.#fd, this.#answer, this.#answer.length, 0);
    if (length < idOffset + 4 || this.#answer.readUInt16LE(4) !== NFT_MSG_NEWGEN) return 0;
    return this.#answer.readUInt32BE(idOffset);
  }

  close(): void {
    if (this.#fd >= 0) libbpf.closeFd(this.#fd);
  }
}

/** Once. */
export function readNftGeneration(): number {
  const rules = new NftGeneration();
  try {
    return rules.read();
  } finally {
    rules.close();
  }
}
