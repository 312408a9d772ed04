namespace Platform.Backup.Engines;

/// <summary>The moments that can be restored.</summary>
/// <param name="From">The first moment from which on every one can; null when there is none.</param>
/// <param name="Until">About the last one that is in the repository.</param>
/// <param name="Gap">What is missing in the log before <paramref name="From"/> or after the newest backup; null when nothing is.</param>
internal sealed record RecoveryWindow(DateTimeOffset? From, DateTimeOffset? Until, string? Gap);
