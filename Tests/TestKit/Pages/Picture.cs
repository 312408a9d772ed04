using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Platform.Tests.TestKit.Pages;

/// <summary>
/// Pictures under <c>docs/</c> that tests take of pages when they run with <c>PLATFORM_UPDATE_DOCS=1</c>. With each it is kept what the page was made of, so
/// that a page which has changed since is not shown as it was.
/// </summary>
internal static class Picture
{
    /// <summary>The page of the Aspire dashboard that lists the resources.</summary>
    public const string Dashboard = "dashboard.png";

    /// <summary>The first page of the monitor.</summary>
    public const string Monitoring = "monitoring.png";

    /// <summary>What backups can restore, as the monitor shows it.</summary>
    public const string BackupWindow = "backup-window.png";

    private const string Record = "pictures.json";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    // What a page looks like is decided there; how it behaves is not seen in a picture. After a # a word of the lines that count.
    private static readonly Dictionary<string, string[]> s_sources = new(StringComparer.Ordinal)
    {
        [Dashboard] = ["AppHost/Program.cs", "Directory.Packages.props#AspireVersion>"],
        [Monitoring] = ["Services/Monitor/Page/Assets/index.html", "Services/Monitor/Page/Assets/page.css", "Services/Monitor/Panels/PanelCatalogue.cs"],
        [BackupWindow] = ["Services/Monitor/Page/Assets/page.css", "Services/Monitor/Panels/PanelCatalogue.cs"],
    };

    /// <summary>The pictures.</summary>
    public static IEnumerable<string> All => s_sources.Keys;

    /// <summary>What was kept with a picture; null when it was not taken by a test.</summary>
    /// <param name="name">Its file name.</param>
    public static string? Kept(string name) => Read().GetValueOrDefault(name);

    /// <summary>What the page is made of now.</summary>
    /// <param name="name">The picture's file name.</param>
    public static string Fingerprint(string name)
    {
        var lines = s_sources[name].Select(source => source.Split('#')).SelectMany(source => File.ReadLines(Path.Combine(Repository.Root, source[0]))
            .Where(line => source.Length == 1 || line.Contains(source[1], StringComparison.Ordinal)));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))))[..16];
    }

    /// <summary>Puts a picture that was just taken into the documents, if that was asked for.</summary>
    /// <param name="name">Its file name in <c>docs/</c>.</param>
    /// <param name="taken">The file.</param>
    public static void Put(string name, string taken)
    {
        if (Environment.GetEnvironmentVariable("PLATFORM_UPDATE_DOCS") != "1")
        {
            return;
        }

        File.Copy(taken, PathOf(name), overwrite: true);
        var all = Read();
        all[name] = Fingerprint(name);
        File.WriteAllText(PathOf(Record), JsonSerializer.Serialize(all, s_indented) + "\n");
    }

    private static string PathOf(string name) => Path.Combine(Repository.Root, "docs", name);

    private static SortedDictionary<string, string> Read() => File.Exists(PathOf(Record))
        ? JsonSerializer.Deserialize<SortedDictionary<string, string>>(File.ReadAllText(PathOf(Record)))!
        : [];
}
