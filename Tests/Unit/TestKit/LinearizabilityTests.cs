using Xunit;

namespace Platform.Tests.Unit.TestKit;

/// <summary>The checker of registers, on histories with planted anomalies and against a search of all orders.</summary>
public sealed class LinearizabilityTests
{
    private const long Never = RegisterOperation.Never;

    [Fact]
    public void What_one_client_writes_and_then_reads_is_in_order() =>
        Assert.Empty(Check(Write(1, 10, 20), Read(1, 30, 40), Write(2, 50, 60), Read(2, 70, 80)));

    [Fact]
    public void Nothing_at_all_is_in_order() => Assert.Empty(Linearizability.Check([]));

    [Fact]
    public void An_acknowledged_write_that_is_lost_is_found() =>
        Assert.Equal(["r was 1 at *, and 2 between *."], Patterns(Check(Write(1, 10, 20), Write(2, 30, 40), Read(1, 50, 60))));

    [Fact]
    public void An_acknowledged_first_write_that_is_lost_is_found() =>
        Assert.Equal(["r was 0 at *, and 1 between *."], Patterns(Check(Write(1, 10, 20), Read(0, 30, 40))));

    [Fact]
    public void A_stale_read_after_a_newer_one_is_found() =>
        Assert.Single(Check(Write(1, 10, 20), Write(2, 30, 100), Read(2, 40, 50), Read(1, 60, 70)));

    [Fact]
    public void Two_values_that_take_turns_are_found() =>
        Assert.Single(Check(Write(1, 10, 100), Write(2, 10, 100), Read(1, 11, 12), Read(2, 13, 14), Read(1, 15, 16), Read(2, 17, 18)));

    [Fact]
    public void A_write_that_is_carried_out_a_second_time_is_found() =>
        Assert.Single(Check(Write(1, 10, 20), Read(1, 21, 22), Write(2, 30, 40), Read(2, 41, 42), Read(1, 50, 60)));

    [Fact]
    public void A_value_that_nobody_wrote_is_found() =>
        Assert.Equal(["r was 7 at *, which nobody wrote."], Patterns(Check(Write(1, 10, 20), Read(7, 30, 40))));

    [Fact]
    public void A_register_that_is_gone_is_found() =>
        Assert.Equal(["r was gone at *."], Patterns(Check(Write(1, 10, 20), Read(RegisterOperation.Missing, 30, 40))));

    [Fact]
    public void A_value_that_is_read_before_it_is_written_is_found() =>
        Assert.Equal(["r was 1 at *, which was written from *."], Patterns(Check(Read(1, 10, 20), Write(1, 30, 40))));

    [Fact]
    public void A_write_without_an_answer_may_have_come_about_or_not()
    {
        Assert.Empty(Check(Write(1, 10, 20), Write(2, 30, Never), Read(1, 40, 50), Read(1, 60, 70)));
        Assert.Empty(Check(Write(1, 10, 20), Write(2, 30, Never), Read(2, 40, 50), Read(2, 60, 70)));
    }

    [Fact]
    public void A_write_without_an_answer_may_come_about_late_and_only_once()
    {
        Assert.Empty(Check(Write(1, 10, 20), Write(2, 30, Never), Read(1, 40, 50), Write(3, 51, 52), Read(3, 53, 54), Read(2, 60, 70)));
        Assert.Single(Check(Write(1, 10, 20), Write(2, 30, Never), Read(2, 40, 50), Write(3, 51, 52), Read(3, 53, 54), Read(2, 60, 70)));
    }

    [Fact]
    public void Operations_at_the_same_time_may_take_effect_in_either_order()
    {
        Assert.Empty(Check(Write(1, 10, 100), Write(2, 10, 100), Read(1, 110, 120)));
        Assert.Empty(Check(Write(1, 10, 100), Write(2, 10, 100), Read(2, 110, 120)));
        Assert.Empty(Check(Write(1, 10, 100), Read(0, 20, 30), Read(1, 40, 50)));
    }

    [Fact]
    public void Registers_are_looked_at_each_by_itself() => Assert.Single(Linearizability.Check(
        [Write(1, 10, 20), Read(1, 30, 40), new("other", true, 1, 10, 20), new("other", false, 0, 30, 40)]));

    [Fact]
    public void A_value_that_is_written_twice_is_refused() =>
        Assert.Throws<ArgumentException>(() => Check(Write(1, 10, 20), Write(1, 30, 40)));

    [Fact]
    public void It_says_the_same_as_a_search_of_all_orders()
    {
        var (sound, unsound) = (0, 0);
        for (var seed = 0; seed < 20_000; seed++)
        {
            var history = Random(new Random(seed));
            var isSound = CanBeOrdered(history);
            _ = isSound ? sound++ : unsound++;
            Assert.True(isSound == (Linearizability.Check(history).Count == 0), $"seed {seed}: {string.Join(Environment.NewLine, history)}");
        }

        // Both kinds have to be there, or nothing was compared.
        Assert.True(sound > 2000 && unsound > 2000, $"{sound} in order, {unsound} not");
    }

    // Few moments, so that many times are equal, and few values, so that many reads see one.
    private static List<RegisterOperation> Random(Random random)
    {
        var operations = new List<RegisterOperation>();
        var writes = random.Next(1, 4);
        for (var value = 1; value <= writes; value++)
        {
            var start = random.Next(0, 12);
            operations.Add(Write(value, start, random.Next(5) == 0 ? Never : start + random.Next(1, 6)));
        }

        for (var reads = random.Next(1, 5); reads > 0; reads--)
        {
            var start = random.Next(0, 14);
            operations.Add(Read(random.Next(0, writes + 1), start, start + random.Next(1, 5)));
        }

        return operations;
    }

    private static bool CanBeOrdered(IReadOnlyList<RegisterOperation> left, long value = RegisterOperation.Initial)
    {
        if (left.All(operation => operation is { IsWrite: true, Finish: Never }))
        {
            return true;
        }

        // Next may be whoever started before all the others had finished.
        var firstFinish = left.Min(operation => operation.Finish);
        return left.Any(next => next.Start <= firstFinish && (next.IsWrite || next.Value == value)
            && CanBeOrdered([.. left.Where(operation => operation != next)], next.IsWrite ? next.Value : value));
    }

    private static IReadOnlyList<string> Check(params RegisterOperation[] history) => Linearizability.Check(history);

    private static IEnumerable<string> Patterns(IEnumerable<string> sentences) => sentences.Select(sentence =>
        System.Text.RegularExpressions.Regex.Replace(sentence, "(at|between|from) .*?(?=, and|, which|\\.$)", match => $"{match.Groups[1].Value} *"));

    private static RegisterOperation Write(long value, long start, long finish) => new("r", IsWrite: true, value, start, finish);

    private static RegisterOperation Read(long value, long start, long finish) => new("r", IsWrite: false, value, start, finish);
}
