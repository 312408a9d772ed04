using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The tutorial, followed to the letter in a checkout of its own: each change is made, each command run, and what it prints compared.</summary>
[Collection(TestCollections.Alone)]
public sealed partial class FirstHourTests(ITestOutputHelper output)
{
    // Stands in the page for what differs: alone on a line for any lines, within one for any text.
    private const string Anything = "…";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [Minutes(25)]
    public async Task The_first_hour_can_be_followed_to_the_letter()
    {
        Assert.SkipUnless(ServerImage.WhyUnavailable() is null, "The commands need what ./platform setup makes on Linux.");
        Assert.SkipUnless(Path.Exists(Path.Combine(Repository.Root, ".git")), "The files to copy are those that git knows.");
        var blocks = Blocks(await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "docs", "first-hour.md"), Cancel)).ToList();
        Assert.True(blocks.Count > 15, $"Only {blocks.Count} blocks were found: the page is read wrongly.");

        var checkout = Directory.CreateTempSubdirectory("platform-first-hour-").FullName;
        try
        {
            await CopyAsync(checkout);
            foreach (var block in blocks)
            {
                await FollowAsync(block, checkout);
            }
        }
        finally
        {
            // Where a command failed, the stack may be up. What it generated beside the checkout goes, too.
            const string Clean = """
                ./platform stop
                if [ -r .platform/run/secrets ]; then file=$(sed -n 's/^Secrets__UserFile=//p' .platform/run/secrets); rm -rf -- "${file%/*}"; fi
                """;
            var stopped = await RunAsync(Clean, checkout, CancellationToken.None);
            output.WriteLine(stopped.Output);
            // One that does not stop can be found by its directory.
            if (stopped.ExitCode == 0)
            {
                Directory.Delete(checkout, recursive: true);
            }
        }
    }

    private async Task FollowAsync(Block block, string checkout)
    {
        switch (block.Language)
        {
            case "diff":
                var change = Path.Combine(checkout, ".git", "change.diff");
                await File.WriteAllTextAsync(change, block.Text, Cancel);
                Expect(0, await RunAsync($"git apply {change}", checkout, Cancel), block.Text);
                break;
            case "csharp":
                var path = FileOf(block.Path, checkout);
                // What was generated with a number keeps it.
                var number = Number().Match(Path.GetFileName(path)) is { Success: true } found
                    ? int.Parse(found.Value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)
                    : Anything;
                await File.WriteAllTextAsync(path, block.Text.Replace(Anything, number, StringComparison.Ordinal), Cancel);
                break;
            case "console":
                foreach (var (command, expected) in Commands(block.Text))
                {
                    var begun = Stopwatch.GetTimestamp();
                    var result = await RunAsync(command, checkout, Cancel);
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(begun).TotalSeconds,5:0.0} s  {command}"));
                    Expect(0, result, command);
                    Assert.True(
                        Regex.IsMatch(result.Output.TrimEnd() + "\n", expected, RegexOptions.None, TimeSpan.FromSeconds(10)),
                        $"'{command}' printed something else than the page says:\n{result.Output}");
                }

                break;
            default:
                Assert.Fail($"The page has a block of '{block.Language}', which nobody runs.");
                break;
        }
    }

    private static void Expect(int exitCode, ProgramResult result, string what) =>
        Assert.True(result.ExitCode == exitCode, $"It ended with {result.ExitCode}: {what}\n{result.Output}");

    // A name with a gap is that of the one file that fits.
    private static string FileOf(string path, string checkout) => path.Contains(Anything, StringComparison.Ordinal)
        ? Assert.Single(Directory.GetFiles(
            Path.Combine(checkout, Path.GetDirectoryName(path)!), Path.GetFileName(path).Replace(Anything, "*", StringComparison.Ordinal)))
        : Path.Combine(checkout, path);

    // What stands after "$", with a pattern for the lines until the next one.
    private static IEnumerable<(string Command, string Expected)> Commands(string text) =>
        Command().Matches(text).Select(match => (
            match.Groups["command"].Value,
            "^" + string.Concat(match.Groups["output"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line == Anything
                ? "(.*\n)*"
                : string.Join(".*", line.Split(Anything).Select(Regex.Escape)) + "\n")) + "$"));

    private static IEnumerable<Block> Blocks(string[] lines)
    {
        var path = "";
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal))
            {
                path = lines[i].Length == 0 ? path : lines[i].Trim('`');
                continue;
            }

            var end = Array.IndexOf(lines, "```", i + 1);
            yield return new Block(lines[i][3..], path, string.Join('\n', lines[(i + 1)..end]) + "\n");
            i = end;
        }
    }

    // The files of this checkout as they are now, in a repository of its own.
    private static async Task CopyAsync(string checkout)
    {
        var profile = File.Exists(Path.Combine(Repository.Root, "PackageProfile.local.props")) ? "PackageProfile.local.props" : "";
        var script = $"""
            cd "$ROOT"
            git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done \
              | xargs -0 cp --parents -dp -t "$CHECKOUT"
            for file in {profile}; do cp "$file" "$CHECKOUT"; done
            cd "$CHECKOUT"
            git init -q
            git add -A
            git -c user.name=reader -c user.email=reader@example.com commit -qm 'As it was'
            """;
        Expect(0, await RunAsync(script, checkout, Cancel), "the copy of the checkout");
    }

    private static Task<ProgramResult> RunAsync(string script, string checkout, CancellationToken cancellationToken) => ProgramResult.OfAsync(
        new ProcessStartInfo("bash", ["-eu", "-o", "pipefail", "-c", "exec 2>&1\n" + script])
        {
            WorkingDirectory = checkout,
            Environment = { ["ROOT"] = Repository.Root, ["CHECKOUT"] = checkout, [TestStack.Mark] = null },
        },
        cancellationToken,
        TimeSpan.FromMinutes(20));

    [GeneratedRegex(@"^\$ (?<command>.*)\n(?<output>(?:(?!\$ ).*\n)*)", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"^\d+(?=_)")]
    private static partial Regex Number();

    private sealed record Block(string Language, string Path, string Text);
}
