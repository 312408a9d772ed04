namespace Platform.Seeder.Generation;

/// <summary>A root category and its three children.</summary>
internal sealed record Department(string Name, Shelf First, Shelf Second, Shelf Third)
{
    public static IReadOnlyList<Department> Outdoor { get; } =
    [
        new("Camping",
            new(
                "Tents",
                ["Dome Tent", "Tunnel Tent", "Tarp", "Bivy Shelter", "Beach Shelter", "Awning"],
                ["Ripstop", "Canvas", "Nylon", "Polyester"],
                ["two people and their luggage", "long weekends", "windy ridges", "families"],
                39,
                649),
            new(
                "Sleeping Gear",
                ["Sleeping Bag", "Sleeping Mat", "Hammock", "Camp Pillow", "Quilt", "Bag Liner"],
                ["Down", "Fleece", "Microfibre", "Cotton"],
                ["cold nights", "summer tours", "light packing", "the hut"],
                15,
                399),
            new(
                "Camp Kitchen",
                ["Gas Stove", "Cook Set", "Water Bottle", "Lunch Box", "Cool Box", "Kettle"],
                ["Titanium", "Steel", "Aluminium", "Enamel"],
                ["breakfast outside", "one or two people", "melting snow", "the boot of a car"],
                9,
                189)),
        new("Hiking",
            new(
                "Backpacks",
                ["Daypack", "Trekking Backpack", "Hip Pack", "Dry Bag", "Duffel", "Child Carrier"],
                ["Ripstop", "Cordura", "Canvas", "Recycled"],
                ["day tours", "hut to hut", "rainy crossings", "travel by train"],
                19,
                329),
            new(
                "Footwear",
                ["Hiking Boot", "Trail Shoe", "Sandal", "Gaiter", "Insole", "Approach Shoe"],
                ["Leather", "Mesh", "Suede", "Felt"],
                ["rocky paths", "wet forests", "long descents", "scrambling"],
                12,
                279),
            new(
                "Light and Navigation",
                ["Head Torch", "Lantern", "Compass", "Altimeter", "Walking Pole", "Map Case"],
                ["Carbon", "Aluminium", "Rubber", "Steel"],
                ["nights without a moon", "fog", "orienteering", "winter afternoons"],
                8,
                249)),
        new("Cycling",
            new(
                "Bicycles",
                ["Gravel Bike", "City Bike", "Mountain Bike", "Cargo Bike", "Folding Bike", "Balance Bike"],
                ["Steel", "Aluminium", "Carbon", "Bamboo"],
                ["the way to work", "forest tracks", "shopping", "first rides"],
                149,
                3899),
            new(
                "Helmets",
                ["Road Helmet", "Commuter Helmet", "Skate Helmet", "Full Face Helmet", "Helmet Light", "Rain Cover"],
                ["Matte", "Reflective", "Foam", "Composite"],
                ["traffic", "hot days", "bike parks", "children"],
                15,
                249),
            new(
                "Bike Parts",
                ["Saddle", "Handlebar", "Pedal", "Chain", "Brake Lever", "Pannier"],
                ["Leather", "Steel", "Carbon", "Rubber"],
                ["touring", "racing", "repairs on the road", "wet weather"],
                9,
                219)),
        new("Mountain Clothing",
            new(
                "Jackets",
                ["Rain Jacket", "Softshell", "Down Jacket", "Windbreaker", "Parka", "Vest"],
                ["Merino", "Fleece", "Nylon", "Recycled"],
                ["storms", "belays", "layering", "cool mornings"],
                35,
                499),
            new(
                "Trousers",
                ["Trekking Trousers", "Climbing Trousers", "Shorts", "Rain Trousers", "Tights", "Overtrousers"],
                ["Stretch", "Cotton", "Softshell", "Nylon"],
                ["steep ground", "bouldering", "hot days", "snow"],
                25,
                229),
            new(
                "Base Layers",
                ["Long Sleeve", "T-Shirt", "Long Johns", "Socks", "Gloves", "Beanie"],
                ["Merino", "Silk", "Cotton", "Bamboo"],
                ["every day", "cold starts", "sweaty climbs", "sleeping in"],
                7,
                99)),
    ];

    public static IReadOnlyList<Department> Electronics { get; } =
    [
        new("Audio",
            new(
                "Headphones",
                ["Over-Ear Headphones", "Earbuds", "Studio Headphones", "Sports Earbuds", "Gaming Headset", "Kids Headphones"],
                ["Leather", "Aluminium", "Walnut", "Silicone"],
                ["open offices", "mixing", "runs", "long flights"],
                19,
                549),
            new(
                "Speakers",
                ["Bookshelf Speaker", "Soundbar", "Portable Speaker", "Subwoofer", "Party Speaker", "Smart Speaker"],
                ["Walnut", "Oak", "Fabric", "Bamboo"],
                ["small rooms", "film nights", "the garden", "the kitchen"],
                29,
                899),
            new(
                "Microphones",
                ["Condenser Microphone", "Lavalier", "USB Microphone", "Boom Arm", "Pop Filter", "Field Recorder"],
                ["Steel", "Brass", "Aluminium", "Foam"],
                ["podcasts", "interviews", "vocals", "birdsong"],
                9,
                479)),
        new("Computing",
            new(
                "Keyboards and Mice",
                ["Mechanical Keyboard", "Wireless Mouse", "Trackball", "Number Pad", "Wrist Rest", "Desk Mat"],
                ["Aluminium", "Walnut", "Felt", "Leather"],
                ["programmers", "small hands", "quiet rooms", "spreadsheets"],
                12,
                249),
            new(
                "Monitors",
                ["Office Monitor", "Ultrawide Monitor", "Portable Monitor", "Monitor Arm", "Privacy Screen", "Monitor Light"],
                ["Matte", "Aluminium", "Steel", "Curved"],
                ["two windows side by side", "photo editing", "hotel rooms", "tired eyes"],
                25,
                1199),
            new(
                "Storage",
                ["Solid State Drive", "Memory Card", "Network Drive", "USB Stick", "Drive Enclosure", "Card Reader"],
                ["Rugged", "Aluminium", "Steel", "Rubber"],
                ["backups", "cameras", "shared folders", "archives"],
                9,
                699)),
        new("Photography",
            new(
                "Cameras",
                ["Mirrorless Camera", "Compact Camera", "Instant Camera", "Action Camera", "Trail Camera", "Film Camera"],
                ["Magnesium", "Leather", "Retro", "Rugged"],
                ["street scenes", "weddings", "dives", "nightly visitors"],
                69,
                2899),
            new(
                "Lenses",
                ["Prime Lens", "Zoom Lens", "Macro Lens", "Fisheye Lens", "Lens Filter", "Lens Hood"],
                ["Brass", "Magnesium", "Glass", "Composite"],
                ["portraits", "wildlife", "insects", "architecture"],
                15,
                1899),
            new(
                "Tripods",
                ["Travel Tripod", "Monopod", "Ball Head", "Gimbal", "Clamp", "Table Tripod"],
                ["Carbon", "Aluminium", "Magnesium", "Steel"],
                ["long exposures", "video", "small bags", "uneven ground"],
                12,
                649)),
        new("Smart Home",
            new(
                "Lighting",
                ["Smart Bulb", "Light Strip", "Desk Lamp", "Motion Light", "Dimmer", "Night Light"],
                ["Frosted", "Brass", "Linen", "Glass"],
                ["evenings", "shelves", "reading", "stairs"],
                8,
                189),
            new(
                "Sensors",
                ["Door Sensor", "Leak Sensor", "Air Quality Monitor", "Thermometer", "Smoke Alarm", "Doorbell"],
                ["White", "Graphite", "Weatherproof", "Ceramic"],
                ["holiday homes", "cellars", "bedrooms", "tenants"],
                12,
                229),
            new(
                "Heating and Power",
                ["Thermostat", "Radiator Valve", "Smart Plug", "Power Strip", "Fan", "Energy Meter"],
                ["White", "Graphite", "Steel", "Glass"],
                ["old buildings", "home offices", "balcony solar", "hot summers"],
                11,
                279)),
    ];

    public static IReadOnlyList<Department> Home { get; } =
    [
        new("Garden",
            new(
                "Hand Tools",
                ["Spade", "Secateurs", "Trowel", "Rake", "Hand Fork", "Hoe"],
                ["Ash", "Steel", "Copper", "Bronze"],
                ["heavy clay", "roses", "raised beds", "small gardens"],
                6,
                119),
            new(
                "Planters",
                ["Flower Pot", "Hanging Basket", "Window Box", "Raised Bed", "Plant Stand", "Trough"],
                ["Terracotta", "Zinc", "Oak", "Concrete"],
                ["balconies", "herbs", "front doors", "shade"],
                5,
                249),
            new(
                "Watering",
                ["Watering Can", "Garden Hose", "Sprinkler", "Water Butt", "Drip Kit", "Mister"],
                ["Copper", "Zinc", "Rubber", "Recycled"],
                ["greenhouses", "lawns", "holidays", "orchids"],
                5,
                179)),
        new("Kitchen",
            new(
                "Cookware",
                ["Frying Pan", "Casserole", "Saucepan", "Wok", "Roasting Tin", "Stockpot"],
                ["Copper", "Enamel", "Steel", "Ceramic"],
                ["induction", "slow stews", "pancakes", "a crowd"],
                14,
                299),
            new(
                "Tableware",
                ["Dinner Plate", "Bowl", "Mug", "Jug", "Cutlery Set", "Platter"],
                ["Porcelain", "Stoneware", "Glass", "Bamboo"],
                ["every day", "Sunday lunch", "soup", "picnics"],
                4,
                159),
            new(
                "Knives and Boards",
                ["Chef's Knife", "Bread Knife", "Paring Knife", "Chopping Board", "Knife Block", "Whetstone"],
                ["Walnut", "Steel", "Olive Wood", "Ceramic"],
                ["vegetables", "crusty loaves", "fine work", "herbs"],
                7,
                219)),
        new("Living Room",
            new(
                "Seating",
                ["Armchair", "Sofa", "Footstool", "Rocking Chair", "Bench", "Floor Cushion"],
                ["Velvet", "Linen", "Leather", "Rattan"],
                ["reading corners", "film nights", "bay windows", "guests"],
                39,
                1899),
            new(
                "Tables",
                ["Coffee Table", "Side Table", "Console", "Nest of Tables", "Writing Desk", "Tray Table"],
                ["Oak", "Marble", "Walnut", "Glass"],
                ["narrow halls", "board games", "letters", "small flats"],
                29,
                799),
            new(
                "Shelving",
                ["Bookcase", "Wall Shelf", "Ladder Shelf", "Cabinet", "Shoe Rack", "Magazine Rack"],
                ["Pine", "Oak", "Steel", "Bamboo"],
                ["paperbacks", "alcoves", "records", "boots"],
                15,
                649)),
        new("Textiles",
            new(
                "Bedding",
                ["Duvet Cover", "Fitted Sheet", "Pillowcase", "Bedspread", "Mattress Topper", "Throw"],
                ["Linen", "Percale", "Cotton", "Wool"],
                ["warm sleepers", "guest rooms", "winter", "children"],
                9,
                279),
            new(
                "Bathroom",
                ["Bath Towel", "Bath Mat", "Bathrobe", "Shower Curtain", "Laundry Basket", "Soap Dish"],
                ["Waffle", "Cotton", "Bamboo", "Jute"],
                ["family bathrooms", "spa evenings", "tiny rooms", "the pool"],
                5,
                129),
            new(
                "Rugs and Curtains",
                ["Rug", "Runner", "Curtain", "Blind", "Doormat", "Cushion Cover"],
                ["Wool", "Jute", "Linen", "Cotton"],
                ["cold floors", "long corridors", "bright mornings", "patios"],
                8,
                499)),
    ];

    public Shelf this[int shelf] => shelf switch
    {
        0 => First,
        1 => Second,
        2 => Third,
        _ => throw new ArgumentOutOfRangeException(nameof(shelf)),
    };
}

/// <summary>A leaf of the category tree, and what its products are made up of.</summary>
/// <param name="Name">The category.</param>
/// <param name="Things">What is sold.</param>
/// <param name="Materials">What it is made of, or how it looks.</param>
/// <param name="Purposes">What it is for.</param>
/// <param name="Cheapest">The least price, in whole units of the currency.</param>
/// <param name="Dearest">The highest price.</param>
internal sealed record Shelf(
    string Name, IReadOnlyList<string> Things, IReadOnlyList<string> Materials, IReadOnlyList<string> Purposes, int Cheapest, int Dearest);
