namespace Platform.Backup.Engines;

/// <summary>
/// What the running database had at a moment, between two snapshots of it: what is the same in both it had at the moment, too, unless it was removed and made
/// the same again in that instant. Of what was written to meanwhile nothing is known; nobody who writes is made to wait for it.
/// </summary>
/// <param name="Before">Everything in it was committed before the moment.</param>
/// <param name="Moment">The moment, by the server's clock.</param>
/// <param name="After">It has everything that was committed until the moment.</param>
internal sealed record DatabaseMarker(DatabaseContents Before, DateTimeOffset Moment, DatabaseContents After);
