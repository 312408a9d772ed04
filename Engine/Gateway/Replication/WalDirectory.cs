namespace Platform.Gateway.Replication;

/// <summary>Those of a cluster whose files this process sees.</summary>
/// <param name="directory">The directory <c>pg_wal</c>.</param>
internal sealed class WalDirectory(string directory) : IWalSegments
{
    private const int NameLength = 24;
    private const int TimelineLength = 8;

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<byte[]>> ReadAsync(string segment, int offset, int length, CancellationToken cancellationToken)
    {
        var parts = new List<byte[]>();
        foreach (var path in Directory.EnumerateFiles(directory, $"*{segment}").Where(f => Path.GetFileName(f).Length == NameLength)
            .OrderByDescending(f => Path.GetFileName(f)[..TimelineLength], StringComparer.Ordinal))
        {
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            var part = new byte[length];
            parts.Add(part[..RandomAccess.Read(file, part, offset)]);
        }

        return new(parts);
    }
}
