namespace Platform.Benchmarks;

/// <summary>What callers got of one program in one or several turns.</summary>
/// <param name="Seconds">How long they called.</param>
/// <param name="Milliseconds">How long each request took.</param>
/// <param name="ClientSeconds">Processor time of the callers.</param>
/// <param name="ProgramSeconds">Processor time of the program that was called.</param>
/// <param name="ServerSeconds">Processor time of its servers: gateway, PostgreSQL and Redis.</param>
/// <param name="MongoCommands">Commands that it sent to MongoDB.</param>
/// <param name="RedisCommands">Commands that it sent to Redis.</param>
internal sealed record ApiTurn(
    double Seconds, double[] Milliseconds, double ClientSeconds, double ProgramSeconds, double ServerSeconds, double MongoCommands, double RedisCommands)
{
    /// <summary>Finished requests a second.</summary>
    public double PerSecond => Milliseconds.Length / Seconds;

    /// <summary>Several turns as one.</summary>
    public static ApiTurn Of(IReadOnlyCollection<ApiTurn> turns) => new(
        turns.Sum(turn => turn.Seconds),
        [.. turns.SelectMany(turn => turn.Milliseconds).Order()],
        turns.Sum(turn => turn.ClientSeconds),
        turns.Sum(turn => turn.ProgramSeconds),
        turns.Sum(turn => turn.ServerSeconds),
        turns.Sum(turn => turn.MongoCommands),
        turns.Sum(turn => turn.RedisCommands));

    /// <summary>The time that a share of the requests stayed below (nearest rank); of turns in the order of <see cref="Of"/>.</summary>
    public double Quantile(double share) => Milliseconds[Math.Max(0, (int)Math.Ceiling(Milliseconds.Length * share) - 1)];

    /// <summary>One of the sums, for each request.</summary>
    public double Each(Func<ApiTurn, double> sum) => sum(this) / Milliseconds.Length;
}
