using Platform.Api.Caching;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class EntryReaderTests
{
    private static readonly (RedisValue First, RedisValue Second) s_values = ("1", "2");

    private readonly List<RedisKey[]> _asked = [];
    private readonly Queue<TaskCompletionSource<RedisValue[]>> _answers = new();

    [Fact]
    public async Task Who_comes_while_an_answer_is_on_its_way_asks_together_with_the_others_and_each_gets_its_own()
    {
        var (first, second) = (Answer(), Answer());
        var reader = Reader();

        var alone = reader.ReadAsync("a", "A");
        var together = Enumerable.Range(0, 5).Select(number => reader.ReadAsync($"k{number}", $"K{number}")).ToList();
        Assert.Equal([["a", "A"]], _asked);
        first.SetResult(["1", "2"]);
        Assert.Equal(s_values, await alone);
        second.SetResult([.. Enumerable.Range(0, 10).Select(number => (RedisValue)number)]);

        Assert.Equal(Enumerable.Range(0, 5).Select(number => ((RedisValue)(2 * number), (RedisValue)((2 * number) + 1))), await Task.WhenAll(together));
        Assert.Equal(2, _asked.Count);
    }

    [Fact]
    public async Task No_more_than_so_many_share_a_command()
    {
        var first = Answer();
        var reader = Reader();
        var alone = reader.ReadAsync("a", "A");
        for (var i = 0; i < 3; i++)
        {
            Answer().SetResult(new RedisValue[2 * EntryReader.MostAtOnce]);
        }

        var many = Enumerable.Range(0, (2 * EntryReader.MostAtOnce) + 1).Select(number => reader.ReadAsync($"k{number}", $"K{number}")).ToList();
        first.SetResult(["1", "2"]);
        await Task.WhenAll([alone, .. many]);

        Assert.Equal([2, 2 * EntryReader.MostAtOnce, 2 * EntryReader.MostAtOnce, 2], _asked.Select(keys => keys.Length));
    }

    [Fact]
    public async Task A_failure_is_told_to_all_who_wait_and_the_next_one_asks_anew()
    {
        var first = Answer();
        var reader = Reader();
        var waiting = new[] { reader.ReadAsync("a", "A"), reader.ReadAsync("b", "B") };

        first.SetException(new TimeoutException("late"));

        foreach (var one in waiting)
        {
            await Assert.ThrowsAsync<TimeoutException>(() => one);
        }

        Answer().SetResult(["1", "2"]);
        Assert.Equal(s_values, await reader.ReadAsync("a", "A"));
    }

    private TaskCompletionSource<RedisValue[]> Answer()
    {
        var answer = new TaskCompletionSource<RedisValue[]>();
        _answers.Enqueue(answer);
        return answer;
    }

    private EntryReader Reader() => new(keys =>
    {
        _asked.Add(keys);
        return _answers.Dequeue().Task;
    });
}
