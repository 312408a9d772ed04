namespace Platform.Api.Migrations;

/// <summary>The migrations that this program was built with, by the names that the migrator's recorded checksums have.</summary>
internal static class KnownMigrations
{
    private const string Resource = "checksums.txt";

    /// <summary>Their numbers and names, in order.</summary>
    public static IReadOnlyList<string> All { get; } = Read();

    // 0001_create_collections 4b5f... 9c1e...
    private static IReadOnlyList<string> Read()
    {
        using var stream = typeof(KnownMigrations).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        return
        [
            .. reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Where(line => char.IsAsciiDigit(line[0]))
                .Select(line => line.Split(' ')[0]),
        ];
    }
}
