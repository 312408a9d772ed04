using System.CommandLine;
using Microsoft.Extensions.Options;
using Platform.Jobs;
using Platform.Jobs.Progress;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;
using Platform.Seeder.Verification;

namespace Platform.Seeder.Commands;

/// <summary><c>seeder verify</c>: compares the database with what was seeded.</summary>
internal sealed class VerifyCommand(SeedStore store, SeedEncryption encryption, IOptions<SeederOptions> options, TimeProvider time)
{
    public static Command Create() => DatabaseJob.Report<VerifyCommand, VerifyReport>(
        new Command(
            "verify",
            "Compare the database with what was seeded: every document byte by byte, every reference, every rule, what stock, orders and events have to "
                + "agree on, and the hash. Exits with 2 when something differs."),
        SeederJob.Create,
        (verify, result, token) => verify.RunAsync(result.GetValue(JobCommandLine.Json) ? JobProgress.None : JobProgress.Show("compared", Console.Out), token),
        (output, report) => output.WriteLine(SeedText.Of(report)),
        report => report.Holds);

    /// <exception cref="JobRefusedException">Nothing was seeded, or another version of this program seeded it.</exception>
    public async Task<VerifyReport> RunAsync(IJobProgress progress, CancellationToken cancellationToken)
    {
        var marker = await store.ReadMarkerAsync(cancellationToken)
            ?? throw new JobRefusedException($"The database '{store.Name}' is not seeded; 'seeder run' seeds it.");
        var size = marker.Size()
            ?? throw new JobRefusedException($"The database '{store.Name}' was seeded by another version of this program; 'seeder run' seeds it anew.");
        var left = marker.RemovedTenants.Select(slug => TenantProfile.Find(slug, marker.Tenants)).ToHashSet();
        var seeded = marker.Parts.Select(part => part.Collection).ToHashSet(StringComparer.Ordinal);
        // What expired since is not expected any more.
        var parts = SeedCollection.All(size).Where(part => seeded.Contains(part.Name) && part.IsKept(size, time.GetUtcNow().UtcDateTime)).ToList();
        var reports = await new SeedVerifier(store.Database, options.Value.Writers, encryption).VerifyAsync(parts, left.Contains, progress, cancellationToken);
        var expected = SeedHash.Combine(reports.Select(report => (report.Collection, report.ExpectedHash)));
        var written = SeedHash.Combine(
            marker.Parts.Where(part => parts.Exists(kept => kept.Name == part.Collection)).Select(part => (part.Collection, part.Hash)));
        if (marker.RemovedTenants.Count == 0 && written != expected)
        {
            throw new JobRefusedException($"This program makes other data from seed {size.Seed} than was written: its hash is {expected}, not "
                + $"{written}; 'seeder run --again' writes it anew.");
        }

        var promises = await new PromiseCheck(store.Database, options.Value.Writers, parts, size).CheckAsync(left.Contains, cancellationToken);

        return new VerifyReport(
            size.Seed, size.Scale, size.Tenants, marker.Until, marker.RemovedTenants, marker.Complete,
            SeedHash.Combine(reports.Select(report => (report.Collection, report.Hash))), expected, reports, promises);
    }
}
