using System.CommandLine;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Jobs;
using Platform.Migrator.Indexes;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator indexes advise</c>: which indexes are missing, redundant or unused.</summary>
internal sealed class IndexAdviseCommand(IMongoDatabase database, TimeProvider time)
{
    public static Command Create()
    {
        var days = JobCommandLine.WholeNumber("--unused-for", "DAYS", "After how many days without a query an index is called unused.", 7, 0, 10_000);
        var fail = new Option<bool>("--fail") { Description = "Exit with 2 when there is any advice." };
        return MigratorJob.Report<IndexAdviseCommand, AdviceReport>(
            new Command(
                "advise",
                "Find indexes that slow queries lack (system.profile), that others make redundant, and that nobody uses. Changes nothing.") { days, fail },
            (advise, result, token) => advise.RunAsync(TimeSpan.FromDays(result.GetValue(days)), result.GetValue(fail), token),
            IndexText.Print,
            report => !report.FailsOnAdvice || report.Advice.Count == 0);
    }

    public async Task<AdviceReport> RunAsync(TimeSpan unusedFor, bool failsOnAdvice, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var state = await new DatabaseIndexes(database).ReadAsync(sizes: false, usage: true, cancellationToken);
        var (queries, notes) = await new ProfileReader(database).ReadAsync(cancellationToken);
        var advice = new IndexAdvisor(CollectionCatalogue.All, now, unusedFor).Advise(state.Collections, queries);
        return new AdviceReport(advice, queries.Count, [.. state.Notes, .. notes, .. TooEarly(state, unusedFor, now)]) { FailsOnAdvice = failsOnAdvice };
    }

    private static IEnumerable<string> TooEarly(DatabaseState state, TimeSpan unusedFor, DateTime now)
    {
        var usage = state.Collections.Values.SelectMany(collection => collection.Usage.Values).ToList();
        var since = usage.Count == 0 ? (DateTime?)null : usage.Max(index => index.Since);
        return since is { } start && now - start < unusedFor
            ? [$"Some indexes have been counted since {start:yyyy-MM-dd HH:mm} UTC only; those are not called unused before "
                + $"{start + unusedFor:yyyy-MM-dd HH:mm} UTC."]
            : [];
    }
}
