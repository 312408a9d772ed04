using MongoDB.Bson;

namespace Platform.Migrator.Indexes;

/// <summary>The conditions of a filter, as an index sees them. What no index can bound (negations, parts of words) is left out.</summary>
internal sealed class QueryConditions
{
    // A planner looks up each alternative, and people write no more of different kinds.
    private const int MostAlternatives = 50;

    private readonly HashSet<string> _equality = new(StringComparer.Ordinal);
    private readonly HashSet<string> _range = new(StringComparer.Ordinal);
    private readonly BsonDocument _values = [];
    private BsonArray? _alternatives;

    /// <summary>Whether words or places are searched.</summary>
    public bool IsSpecial { get; set; }

    /// <summary>Adds a field that has to have a value which another document has.</summary>
    /// <param name="field">Its name; anything but a text is no field.</param>
    public void AddEquality(BsonValue field)
    {
        if (field is BsonString name)
        {
            _equality.Add(name.Value);
        }
    }

    /// <summary>Adds the conditions of a filter.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="prefix">What stands before the names of its fields: the path of an array whose elements it is about, and a dot.</param>
    public void Read(BsonDocument filter, string prefix = "")
    {
        foreach (var element in filter)
        {
            switch (element.Name)
            {
                case "$and" when element.Value is BsonArray parts:
                    foreach (var part in parts.OfType<BsonDocument>())
                    {
                        Read(part, prefix);
                    }

                    break;
                case "$or" when element.Value is BsonArray { Count: 1 } parts && parts[0] is BsonDocument only:
                    Read(only, prefix);
                    break;
                case "$or" when element.Value is BsonArray parts && prefix.Length == 0:
                    // Of several, one is looked up, and the others are checked.
                    _alternatives ??= parts;
                    break;
                case "$expr":
                    ReadExpression(element.Value);
                    break;
                case "$text" or "$near":
                    IsSpecial = true;
                    break;
                case var name when name.StartsWith('$'):
                    break;
                default:
                    ReadField(prefix + element.Name, element.Value);
                    break;
            }
        }
    }

    /// <summary>The questions that these conditions are, one for each alternative; none when an index could answer nothing.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="sort">The order in which documents are asked for.</param>
    public IEnumerable<QueryPattern> Patterns(string collection, BsonDocument sort)
    {
        if (_alternatives is null)
        {
            var sorted = sort.Where(element => element.Value.IsNumeric).ToList();
            return _equality.Count + _range.Count + sorted.Count == 0 && !IsSpecial
                ? []
                :
                [
                    new QueryPattern(
                        collection,
                        [.. _equality.Order(StringComparer.Ordinal)],
                        sorted,
                        [.. _range.Except(_equality).Order(StringComparer.Ordinal)],
                        IsSpecial,
                        _values),
                ];
        }

        return _alternatives.OfType<BsonDocument>().Take(MostAlternatives).SelectMany(alternative =>
        {
            var both = new QueryConditions { IsSpecial = IsSpecial };
            both._equality.UnionWith(_equality);
            both._range.UnionWith(_range);
            both._values.Merge(_values);
            both.Read(alternative);
            return both.Patterns(collection, sort);
        });
    }

    private void ReadField(string name, BsonValue value)
    {
        switch (value)
        {
            case BsonRegularExpression expression:
                ReadText(name, expression);
                break;
            case BsonDocument { ElementCount: > 0 } operators when operators.GetElement(0).Name.StartsWith('$'):
                foreach (var condition in operators)
                {
                    ReadOperator(name, condition, operators);
                }

                break;
            default:
                _equality.Add(name);
                _values[name] = value;
                break;
        }
    }

    private void ReadOperator(string name, BsonElement condition, BsonDocument operators)
    {
        switch (condition.Name)
        {
            case "$eq":
                _equality.Add(name);
                _values[name] = condition.Value;
                break;
            case "$in" or "$all" when condition.Value is BsonArray values:
                var texts = values.OfType<BsonRegularExpression>().ToList();
                if (texts.Count == 0 || (condition.Name == "$all" && texts.Count < values.Count))
                {
                    _equality.Add(name);
                }
                else
                {
                    texts.ForEach(text => ReadText(name, text));
                }

                break;
            case "$gt" or "$gte" or "$lt" or "$lte":
                _range.Add(name);
                break;
            case "$regex":
                ReadText(name, condition.Value as BsonRegularExpression ?? new BsonRegularExpression(
                    condition.Value is BsonString pattern ? pattern.Value : "", operators.GetValue("$options", "") is BsonString options ? options.Value : ""));
                break;
            case "$elemMatch" when condition.Value is BsonDocument element:
                if (element.ElementCount > 0 && element.GetElement(0).Name.StartsWith('$'))
                {
                    ReadField(name, element);
                }
                else
                {
                    Read(element, name + ".");
                }

                break;
            case "$near" or "$nearSphere" or "$geoWithin" or "$geoIntersects":
                IsSpecial = true;
                break;
        }
    }

    // Only a text that is compared from its first letter on, and in one way of writing, bounds what is read.
    private void ReadText(string name, BsonRegularExpression expression)
    {
        var pattern = expression.Pattern;
        var begin = pattern.StartsWith('^') ? 1 : pattern.StartsWith("\\A", StringComparison.Ordinal) ? 2 : 0;
        var first = begin < pattern.Length ? pattern[begin] : '\0';
        var literal = first == '\\'
            ? begin + 1 < pattern.Length && !char.IsLetterOrDigit(pattern[begin + 1])
            : first != '\0' && !".[](){}*+?|^$".Contains(first, StringComparison.Ordinal);
        var optional = begin + 1 < pattern.Length && first != '\\' && "*?{".Contains(pattern[begin + 1], StringComparison.Ordinal);
        if (begin > 0 && literal && !optional && !pattern.Contains('|', StringComparison.Ordinal)
            && expression.Options.IndexOfAny(['i', 'm']) < 0)
        {
            _range.Add(name);
        }
    }

    // What is compared with a constant or a variable, as the pipeline of a $lookup does.
    private void ReadExpression(BsonValue expression)
    {
        if (expression is not BsonDocument { ElementCount: 1 } only || only[0] is not BsonArray operands)
        {
            return;
        }

        var name = only.GetElement(0).Name;
        if (name == "$and")
        {
            foreach (var operand in operands)
            {
                ReadExpression(operand);
            }
        }
        else if (name is "$eq" or "$gt" or "$gte" or "$lt" or "$lte" && operands.Count == 2)
        {
            var fields = operands.Where(IsPath).Select(path => path.AsString[1..]).ToList();
            if (fields.Count == 1 && !operands.Any(operand => operand is BsonDocument or BsonArray))
            {
                (name == "$eq" ? _equality : _range).Add(fields[0]);
            }
        }

        static bool IsPath(BsonValue operand) =>
            operand is BsonString { Value: ['$', ..] } path && !path.Value.StartsWith("$$", StringComparison.Ordinal);
    }
}
