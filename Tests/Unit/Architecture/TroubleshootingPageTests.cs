using System.Text.RegularExpressions;
using Xunit;

namespace Platform.Tests.Unit.Architecture;

/// <summary>The headings of <c>docs/troubleshooting.md</c> are what programs print.</summary>
public sealed partial class TroubleshootingPageTests
{
    private static readonly string[] s_sources = ["platform", "Scripts", "AppHost", "Hosting", "Services", "Engine", "ServiceDefaults", "Shared"];

    [Fact]
    public void Every_heading_is_a_sentence_of_a_program()
    {
        var headings = Heading().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "troubleshooting.md")))
            .Select(match => match.Groups[1].Value.Trim()).ToList();
        var said = string.Join('\n', s_sources.SelectMany(Files).Select(file => Joined().Replace(File.ReadAllText(file), "")));

        Assert.True(headings.Count > 10, $"Only {headings.Count} headings were found.");
        Assert.DoesNotContain("a sentence that nobody says", said, StringComparison.Ordinal);
        Assert.All(
            headings.SelectMany(heading => heading.Split('…', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)),
            part => Assert.True(said.Contains(part, StringComparison.Ordinal), $"No program says '{part}'."));
    }

    private static IEnumerable<string> Files(string source)
    {
        var path = Path.Combine(Repository.Root, source);
        return File.Exists(path)
            ? [path]
            : Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".cs" or ".bash" or "");
    }

    [GeneratedRegex("^### (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    // Parts of a text over several lines.
    [GeneratedRegex("\"\\s*\\+\\s*\\$?\"")]
    private static partial Regex Joined();
}
