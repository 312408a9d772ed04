using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Jobs.Progress;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;
using Platform.Data.Tenancy;

namespace Platform.Seeder.Commands;

/// <summary><c>seeder clean</c>: removes exactly what was seeded.</summary>
internal sealed partial class CleanCommand(
    SeedStore store, PlatformDatabase database, SeedGuard guard, IOptions<SeederOptions> options, ILogger<CleanCommand> logger)
{
    // Of any size: the database tells how much is there.
    private readonly IReadOnlyList<SeedCollection> _all = SeedCollection.All(new SeedSize());

    public static Command Create()
    {
        var tenant = new Option<string>("--tenant") { Description = "Only what was seeded for this tenant.", HelpName = "SLUG" };
        var keep = new Option<bool>("--keep-referenced") { Description = "Leave the seeded documents that documents of others refer to." };
        var command = new Command("clean", "Remove exactly what was seeded; documents that others wrote stay.") { tenant, keep };
        command.SetAction((result, cancellationToken) => SeederJob.RunAsync<CleanCommand>(
            (clean, token) => clean.RunAsync(
                result.GetValue(tenant), result.GetValue(keep), JobProgress.Show("removed", Console.Out), Console.Out, token),
            cancellationToken));
        return command;
    }

    /// <summary>Removes what was seeded.</summary>
    /// <param name="slug">Whose documents; null for everybody's.</param>
    /// <param name="keepReferenced">Whether to leave what documents that were not seeded refer to.</param>
    /// <param name="progress">Shows the removal.</param>
    /// <param name="output">Where the result goes.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task RunAsync(string? slug, bool keepReferenced, IJobProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        await guard.RequireDevelopmentAsync(cancellationToken);
        await store.AloneAsync(
            output,
            async (fence, token) =>
            {
                await guard.RequireDevelopmentAsync(token);
                var report = await RunAloneAsync(slug, keepReferenced, fence, progress, output, token);
                Cleaned(logger, report.Removed);
                await TellAsync(report, slug, keepReferenced, output);
            },
            cancellationToken);
    }

    private async Task<CleanReport> RunAloneAsync(
        string? slug, bool keepReferenced, long fence, IJobProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        var marker = await store.ReadMarkerAsync(cancellationToken) is { } found ? found with { Fence = fence } : null;
        var tenant = slug is null ? (ObjectId?)null : await FindTenantAsync(slug, marker, cancellationToken);
        string[] removed = [.. (marker?.RemovedTenants ?? []).Append(slug!).Distinct()];
        if (marker is not null)
        {
            // What an interrupted removal leaves is not taken for seeded: the next run writes it anew.
            await store.WriteMarkerAsync(
                slug is null ? marker with { Complete = false, Parts = [] } : marker with { Complete = false, RemovedTenants = removed }, cancellationToken);
        }

        var cleaner = new SeedCleaner(store.Database, options.Value.Writers, guard.RequireDevelopmentAsync);
        var report = await cleaner.CleanAsync(_all, tenant, keepReferenced, progress, cancellationToken);
        if (marker is not null)
        {
            await new DeferredIndexes(store.Database, guard.RequireDevelopmentAsync).BuildAsync(_all, marker.DeferredIndexes, output, cancellationToken);
        }

        if (marker is null || slug is null || removed.Length == marker.Tenants)
        {
            await store.RemoveMarkerAsync(fence, cancellationToken);
        }
        else
        {
            await store.WriteMarkerAsync(marker with { DeferredIndexes = [], RemovedTenants = removed }, cancellationToken);
        }

        return report;
    }

    private async Task<ObjectId> FindTenantAsync(string slug, SeedMarker? marker, CancellationToken cancellationToken)
    {
        var (first, last) = SeedId.Range(SeedKind.Tenant);
        if (await database.Tenants.Find(tenant => tenant.Slug == slug && tenant.Id >= first && tenant.Id <= last)
            .FirstOrDefaultAsync(cancellationToken) is { } found)
        {
            return found.Id;
        }

        // An interrupted removal took the tenant itself last, or just not yet what refers to it.
        var tenants = marker?.Tenants ?? 0;
        var number = TenantProfile.Find(slug, tenants);
        if (number >= 0)
        {
            return SeedGenerator.TenantId(number);
        }

        var there = await database.Tenants.Find(tenant => tenant.Id >= first && tenant.Id <= last)
            .SortBy(tenant => tenant.Id)
            .Limit(10)
            .ToListAsync(cancellationToken);
        throw new JobUsageException(there.Count == 0
            ? $"There is no seeded tenant '{slug}': nothing is seeded."
            : $"There is no seeded tenant '{slug}'; there are "
                + $"{string.Join(", ", there.Select(tenant => tenant.Slug))}{(tenants > there.Count ? " and others" : "")}.");
    }

    private static async Task TellAsync(CleanReport report, string? slug, bool keepReferenced, TextWriter output)
    {
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"Removed {report.Removed:N0} seeded documents{(slug is null ? "" : $" of {slug}")}."));
        if (report.Referring.Count > 0)
        {
            var who = SeedText.Of(report.Referring);
            await output.WriteLineAsync(keepReferenced
                ? string.Create(CultureInfo.InvariantCulture, $"Kept {report.Kept:N0} seeded documents that documents of others refer to ({who}).")
                : $"Documents of others stay that referred to seeded ones ({who}): what they refer to is there again when the same is seeded again; "
                    + $"--keep-referenced would have kept it.");
        }
    }

    [LoggerMessage(4, LogLevel.Information, "Removed {Documents} seeded documents")]
    private static partial void Cleaned(ILogger logger, long documents);
}
