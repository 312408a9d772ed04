using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.MigrationWorker;

/// <summary>What came of rounds of a race, as the migrations themselves wrote it down.</summary>
/// <param name="Rounds">How many rounds.</param>
/// <param name="Kills">How many migrators were killed inside a migration.</param>
/// <param name="Stopped">How often a migrator stopped inside a migration by itself: it had lost the lease, or its transaction met another one.</param>
/// <param name="RunTwice">Migrations that came to their end more than once, or of which a step was run more often than somebody was stopped or killed inside,
/// and once; and transactions that counted twice.</param>
/// <param name="Overlapping">Times that two migrators were inside the same migration at once.</param>
/// <param name="Unfinished">Migrations that nobody finished although migrators were there that wanted to: a lock that was stuck.</param>
/// <param name="Errors">Migrators that ended with an error.</param>
/// <param name="TakeOvers">How long after each kill another migrator began the migration again.</param>
/// <param name="FirstError">One of the errors; null when there were none.</param>
public sealed record RaceFindings(
    int Rounds, int Kills, int Stopped, int RunTwice, int Overlapping, int Unfinished, int Errors, IReadOnlyList<TimeSpan> TakeOvers, string? FirstError)
{
    /// <summary>Nothing yet.</summary>
    public static RaceFindings None { get; } = new(0, 0, 0, 0, 0, 0, 0, [], null);

    /// <summary>The head of the table whose lines <see cref="ToRow"/> gives.</summary>
    public static string Head => "| migrator | rounds | killed inside | stopped inside | run twice | two at once | stuck | errors | take-over, longest | "
        + "take-over, median |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

    /// <summary>The longest time until another took over; zero when nobody was killed.</summary>
    public TimeSpan LongestTakeOver => TakeOvers.DefaultIfEmpty().Max();

    /// <summary>A line of the table.</summary>
    /// <param name="name">Who raced.</param>
    public string ToRow(string name) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {name} | {Rounds} | {Kills} | {Stopped} | {RunTwice} | {Overlapping} | {Unfinished} | {Errors} | {Seconds(LongestTakeOver)} | "
            + $"{Seconds(TakeOvers.Order().ElementAtOrDefault(TakeOvers.Count / 2))} |");

    /// <summary>Adds a round.</summary>
    /// <param name="database">The round's database.</param>
    /// <param name="answers">What the migrators said.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public async Task<RaceFindings> WithRoundAsync(IMongoDatabase database, IReadOnlyList<RaceAnswer> answers, CancellationToken cancellationToken)
    {
        var log = await database.GetCollection<BsonDocument>("log").Find(new BsonDocument()).Sort(new BsonDocument("at", 1)).ToListAsync(cancellationToken);
        var counter = await database.GetCollection<BsonDocument>("counters").Find(new BsonDocument()).FirstOrDefaultAsync(cancellationToken);
        var (kills, stopped, twice, overlapping, unfinished) = (0, 0, counter is not null && counter["n"].ToInt32() > 1 ? 1 : 0, 0, 0);
        var takeOvers = new List<TimeSpan>();
        for (var migration = 1; migration <= RaceMigration.Count; migration++)
        {
            var mine = log.Where(entry => entry["migration"].ToInt32() == migration).ToList();
            var killed = mine.FirstOrDefault(entry => entry["what"] == "kill");
            var ends = mine.Count(entry => entry["what"] == "end");
            var stops = mine.Count(entry => entry["what"] == "stop");
            var allowed = 1 + stops + (killed is null ? 0 : 1);
            var steps = mine.Where(entry => entry["what"] == "step")
                .GroupBy(entry => entry["step"].ToInt32())
                .Select(step => step.Count())
                .DefaultIfEmpty()
                .Max();
            unfinished += ends == 0 ? 1 : 0;
            stopped += stops;
            // What a transaction did that did not end is undone, so there only its counter tells.
            twice += migration != RaceMigration.Transactional && (steps > allowed || ends > 1) ? 1 : 0;
            overlapping += Overlaps(mine);
            if (killed is not null)
            {
                kills++;
                if (mine.FirstOrDefault(entry => entry["what"] == "begin" && entry["process"] != killed["process"] && entry["at"] >= killed["at"]) is { } again)
                {
                    takeOvers.Add(again["at"].ToUniversalTime() - killed["at"].ToUniversalTime());
                }
            }
        }

        var errors = answers.Where(answer => answer.Error is not null).ToList();
        return new RaceFindings(
            Rounds + 1,
            Kills + kills,
            Stopped + stopped,
            RunTwice + twice,
            Overlapping + overlapping,
            Unfinished + unfinished,
            Errors + errors.Count,
            [.. TakeOvers, .. takeOvers],
            FirstError ?? errors.FirstOrDefault()?.Error);
    }

    private static int Overlaps(List<BsonDocument> log)
    {
        var inside = new HashSet<int>();
        var overlaps = 0;
        foreach (var entry in log)
        {
            var process = entry["process"].ToInt32();
            switch (entry["what"].AsString)
            {
                case "begin":
                    overlaps += inside.Except([process]).Any() ? 1 : 0;
                    inside.Add(process);
                    break;
                case "end" or "kill" or "stop":
                    inside.Remove(process);
                    break;
            }
        }

        return overlaps;
    }

    private static string Seconds(TimeSpan time) => time == TimeSpan.Zero ? "-" : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");
}
