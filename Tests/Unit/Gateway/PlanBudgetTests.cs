using Microsoft.Extensions.Time.Testing;
using Platform.Gateway.Profiling;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

public sealed class PlanBudgetTests
{
    private const string Known = "a shape whose plan is known";

    private static readonly ProfiledPlan s_plan = new("COLLSCAN", Sorts: true, (0, 7));

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Explanations_take_ten_seconds_at_once_and_then_a_tenth_of_the_time()
    {
        var budget = new PlanBudget(_time);
        budget.Remember(Known, s_plan);
        var spent = 0;
        while (budget.Allows(Known))
        {
            Spend(budget, TimeSpan.FromSeconds(1));
            spent++;
        }

        // While ten seconds are spent, one is earned.
        Assert.InRange(spent, 10, 12);
        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.False(budget.Allows(Known));
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(budget.Allows(Known));

        // A rest of days earns no more than at the start.
        _time.Advance(TimeSpan.FromDays(3));
        Assert.True(budget.Allows(Known));
        budget.Remember(Known, s_plan);
        Spend(budget, TimeSpan.FromSeconds(10.5));
        Spend(budget, TimeSpan.FromSeconds(1));
        Assert.False(budget.Allows(Known));
    }

    [Fact]
    public void A_new_shape_is_explained_on_credit_and_its_plan_is_told_for_a_minute_without_counts()
    {
        var budget = new PlanBudget(_time);
        Spend(budget, TimeSpan.FromSeconds(12));
        Assert.True(budget.Allows("new"));
        Assert.Null(budget.PlanOf("new"));
        budget.Remember("new", s_plan);
        Assert.False(budget.Allows("new"));
        Assert.Equal(s_plan with { Examined = null }, budget.PlanOf("new"));

        // Credit ends, too.
        Spend(budget, TimeSpan.FromSeconds(15));
        Assert.False(budget.Allows("another"));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(budget.PlanOf("new"));
    }

    [Fact]
    public void One_command_of_a_shape_is_counted_in_a_minute()
    {
        var budget = new PlanBudget(_time);
        Assert.True(budget.TryCount("a"));
        Assert.True(budget.TryCount("b"));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(budget.TryCount("a"));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(budget.TryCount("a"));
        Assert.False(budget.TryCount("a"));
    }

    private void Spend(PlanBudget budget, TimeSpan time)
    {
        var started = _time.GetTimestamp();
        _time.Advance(time);
        budget.Spend(started);
    }
}
