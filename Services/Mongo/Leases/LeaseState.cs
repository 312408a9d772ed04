namespace Platform.Mongo.Leases;

/// <summary>A lease as its store holds it. The document stays for ever, so that the fencing number never starts again.</summary>
/// <param name="Name">What is leased.</param>
/// <param name="Owner">The identity of the acquisition that holds the lease; null when nobody does.</param>
/// <param name="Holder">Who that is, for people: host and process. Of the last holder when nobody holds it.</param>
/// <param name="Fence">The number of the latest acquisition; each is one more than the one before.</param>
/// <param name="ExpiresAt">When the lease ends unless renewed (UTC, the store's clock); null when nobody holds it.</param>
/// <param name="IsHeld">Whether the owner still has it: by the store's clock, the lease of one that died ends without a word.</param>
public sealed record LeaseState(string Name, string? Owner, string? Holder, long Fence, DateTime? ExpiresAt, bool IsHeld);
