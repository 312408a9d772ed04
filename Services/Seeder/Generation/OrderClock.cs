namespace Platform.Seeder.Generation;

/// <summary>
/// Spreads orders over the days of the history and the hours of a day, more of them on Saturdays and in the evening.
/// A greater share is a later time, so that orders which are numbered by share are numbered by time.
/// </summary>
internal sealed class OrderClock
{
    // Orders in each hour of a day, and on each day of a week from Sunday, relative to each other.
    private static readonly int[] s_hours = [2, 1, 1, 1, 1, 2, 4, 7, 9, 11, 12, 13, 14, 12, 11, 11, 12, 14, 16, 18, 18, 14, 9, 5];
    private static readonly int[] s_days = [11, 9, 9, 10, 11, 13, 15];

    private readonly DateTime _start;
    private readonly long[] _before;

    public OrderClock(DateTime end, int days)
    {
        _start = end.AddDays(-days);
        _before = new long[(days * 24) + 1];
        for (var hour = 0; hour < days * 24; hour++)
        {
            var time = _start.AddHours(hour);
            _before[hour + 1] = _before[hour] + (s_hours[time.Hour] * s_days[(int)time.DayOfWeek]);
        }
    }

    /// <summary>The time of a share of all orders, which is at least 0 and less than 1; to the second.</summary>
    public DateTime At(double share)
    {
        var weight = share * _before[^1];
        var hour = Array.BinarySearch(_before, (long)weight);

        // The complement of the first greater one, when the number is not there itself.
        hour = hour >= 0 ? hour : ~hour - 1;
        hour = Math.Min(hour, _before.Length - 2);
        var seconds = (weight - _before[hour]) / (_before[hour + 1] - _before[hour]) * 3600;
        return _start.AddHours(hour).AddSeconds((int)Math.Min(seconds, 3599));
    }
}
