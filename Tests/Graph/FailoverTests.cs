using System.Net;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The primary of a stack of its own goes, by the commands of the dashboard.</summary>
[Collection(TestCollections.Cache)]
public sealed partial class FailoverTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 240_000)]
    public async Task The_primary_steps_down_and_is_killed_and_the_dashboard_tells_who_follows_while_the_api_serves()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The members of this engine run on Linux only.");
        await using var stack = new TestStack();
        await stack.StartAsync(Token);
        using var api = stack.App.CreateHttpClient(ResourceNames.Api, "http");

        var first = await UntilOnePrimaryAsync(stack.App);
        var second = await LetGoAsync(stack.App, "step-down-primary", first);
        await AssertServesAsync(api);
        var third = await LetGoAsync(stack.App, "kill-primary", second);
        await AssertServesAsync(api);

        Assert.NotEqual(first, second);
        Assert.Matches(HostPattern(), third);
        Assert.Equal(KnownResourceStates.Running, StateOf(stack.App, ResourceNames.Mongo));
        Assert.Equal(KnownResourceStates.Running, StateOf(stack.App, ResourceNames.Database));
    }

    // Returns the new primary.
    private static async Task<string> LetGoAsync(DistributedApplication app, string command, string primary)
    {
        await app.UntilHealthyAsync(ResourceNames.Mongo, Patience, Token);
        var result = await app.ResourceCommands.ExecuteCommandAsync(ResourceNames.Mongo, command, Token);
        Assert.True(result.Success, result.Message);
        var told = OutcomePattern().Match(result.Message ?? "");
        Assert.True(told.Success, result.Message);
        Assert.Equal(primary, told.Groups["before"].Value);
        TestContext.Current.SendDiagnosticMessage($"{command}: {result.Message}");

        // The properties follow, and in the end all members are back.
        var after = told.Groups["after"].Success ? told.Groups["after"].Value : primary;
        return await UntilOnePrimaryAsync(app, after);
    }

    private static async Task<string> UntilOnePrimaryAsync(DistributedApplication app, string? primary = null)
    {
        await Wait.UntilAsync(
            () => Task.FromResult(Members().Count(role => role == "primary") == 1 && Members().Count(role => role == "secondary") == 2
                && (primary is null || primary == Primary())),
            () => $"{primary ?? "a member"} is the primary and two are secondaries; the dashboard shows: {Primary()}; {string.Join(", ", Members())}",
            Patience,
            Token);
        return Primary()!;

        string? Primary() => PropertyOf(app, ResourceNames.Mongo, "primary");

        List<string?> Members() => [.. Enumerable.Range(1, 3).Select(number => PropertyOf(app, ResourceNames.Member(number), "role"))];
    }

    private static async Task AssertServesAsync(HttpClient api) => await Wait.UntilAsync(
        async () =>
        {
            using var answer = await api.GetAsync("/tenants", Token);
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, answer.ToString());
            return answer.StatusCode == HttpStatusCode.OK;
        },
        "the API answers",
        Token);

    private static string? StateOf(DistributedApplication app, string resource) =>
        app.ResourceNotifications.TryGetCurrentState(resource, out var current) ? current.Snapshot.State?.Text : null;

    private static string? PropertyOf(DistributedApplication app, string resource, string name) =>
        app.ResourceNotifications.TryGetCurrentState(resource, out var current)
            ? current.Snapshot.Properties.FirstOrDefault(property => property.Name == name)?.Value as string
            : null;

    [GeneratedRegex(@"^The primary was (?<before>\S+) and is (the same again|now (?<after>\S+)); [0-9.]+ s passed without one\.$")]
    private static partial Regex OutcomePattern();

    [GeneratedRegex(@"^127\.0\.0\.1:[0-9]+$")]
    private static partial Regex HostPattern();
}
